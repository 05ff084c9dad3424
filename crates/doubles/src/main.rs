//! The doubles as servers of their own, for demonstrations and measurements.

#![expect(clippy::print_stdout, reason = "where a double listens is told")]

use std::time::Duration;

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_doubles::launchdarkly::{LaunchDarkly, Limit, Segment};
use clap::{Parser, Subcommand, ValueEnum};

/// Serves a double of a destination of audience syncs until it is interrupted.
///
/// Once a second it tells what it holds when that has changed.
#[derive(Debug, Parser)]
struct Args {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9100")]
    listen: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Flagsmith's SDK API
    Flagsmith {
        /// The server-side environment key it accepts
        #[arg(long, default_value = "ser.demo")]
        key: String,
        #[arg(long, value_enum, default_value_t = Server::Core)]
        server: Server,
    },
    /// LaunchDarkly's segments API
    Launchdarkly {
        /// The access token it accepts
        #[arg(long, default_value = "api-demo")]
        token: String,
        /// Segments that are there: PROJECT/ENVIRONMENT/SEGMENT
        #[arg(long, default_value = "shop/production/high-value")]
        segment: Vec<String>,
        /// The segments are big ones, of kind `user`
        #[arg(long)]
        big: bool,
        /// Requests it takes in ten seconds
        #[arg(long)]
        limit: Option<u64>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Server {
    Core,
    Edge,
    Old,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    match args.what {
        What::Flagsmith { key, server } => {
            let kind = match server {
                Server::Core => Kind::Core,
                Server::Edge => Kind::Edge,
                Server::Old => Kind::Old,
            };
            let double = Flagsmith::start_at(&args.listen, kind, &key).await;
            println!("url {}  key {key}", double.url);
            watch(|| {
                let (identities, requests) = double.size();
                format!("{identities} identities after {requests} requests")
            })
            .await;
        }
        What::Launchdarkly {
            token,
            segment,
            big,
            limit,
        } => {
            let double = LaunchDarkly::start_at(&args.listen, &token).await;
            for name in &segment {
                let unbounded = big.then(|| "user".to_owned());
                double.put(
                    name,
                    Segment {
                        unbounded,
                        ..Segment::default()
                    },
                );
            }
            if let Some(requests) = limit {
                double.limit(Limit {
                    family: "route",
                    requests,
                    window: Duration::from_secs(10),
                });
            }
            println!(
                "instance {}  token {token}  segments {}",
                double.url,
                segment.join(", ")
            );
            watch(|| double.size(&segment)).await;
        }
    }
}

/// Tells the state once a second when it has changed.
async fn watch(state: impl Fn() -> String) {
    let mut last = state();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = state();
        if now != last {
            println!("{now}");
            last = now;
        }
    }
}
