//! Serves the app on an empty database: `cargo run -p burgee-testkit --example serve -- 127.0.0.1:8010`.

use burgee_app::{App, Settings};
use burgee_store::Db;

#[tokio::main]
async fn main() {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8010".to_owned());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = Db::open(
        &format!("sqlite:{}", folder.path().join("burgee.db").display()),
        5,
    )
    .await
    .expect("a database");
    let app = App::start(db, Settings::default()).await.expect("the app starts");
    let router = burgee_api::router(app, None);
    let service = tower::util::MapRequestLayer::new(burgee_api::headers::add_slash);
    let listener = tokio::net::TcpListener::bind(&address)
        .await
        .expect("a free address");
    let service = tower::Layer::layer(&service, router);
    axum::serve(
        listener,
        axum::ServiceExt::<axum::extract::Request>::into_make_service(service),
    )
    .await
    .expect("serves");
}
