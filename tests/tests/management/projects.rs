//! `/api/v1/projects/`

use axum::http::Method;
use burgee_testkit::both;

both! {
    async fn a_stranger_is_told_to_sign_in(app) {
        let answer = app.call(Method::GET, "/api/v1/projects/", &[], None).await;
        assert_eq!(answer.status.as_u16(), 401);
        assert_eq!(answer.body["detail"], "Authentication credentials were not provided.");
    }
}
