//! Figures of the planner, printed on request: `cargo test --release --test sync -- --ignored --nocapture`.

#![expect(clippy::print_stdout, reason = "figures are printed")]

use std::io::Write as _;
use std::time::Instant;

use burgee_doubles::flagsmith::{Flagsmith, Kind};
use burgee_sync::plan::Mode;

use super::Rig;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, not a test"]
async fn a_million_members_with_one_per_cent_of_change() {
    let double = Flagsmith::start(Kind::Core, "ser.key").await;
    let rig = Rig::flagsmith(&double, Mode::Mirror);
    let write = |skip: u64, more: u64| {
        let mut file = std::io::BufWriter::new(std::fs::File::create(rig.path().join("model.csv")).unwrap());
        writeln!(file, "id").unwrap();
        for n in skip..1_000_000 + more {
            writeln!(file, "user-{n:032}").unwrap();
        }
    };
    write(0, 0);
    let began = Instant::now();
    rig.run().await;
    println!("first run, 1,000,000 adds: {:?}", began.elapsed());
    write(10_000, 10_000);
    let began = Instant::now();
    let delivered = rig.run().await;
    println!(
        "next run, {} changes: {:?}",
        delivered.progress.delivered,
        began.elapsed()
    );
}
