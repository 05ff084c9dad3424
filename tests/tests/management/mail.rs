//! Mail: what is sent to whom, and what happens when it is not taken.

use axum::http::Method;
use burgee_app::{Settings, mail};
use burgee_testkit::mailbox::Mailbox;
use burgee_testkit::{TestApp, both, id};
use serde_json::{Value, json};

async fn post(app: &TestApp, path: &str, body: Value) -> burgee_testkit::Answer {
    app.call(Method::POST, path, &[], Some(&body)).await
}

/// The same installation with a mail server.
async fn with_mail(app: &TestApp) -> (TestApp, Mailbox) {
    let mailbox = Mailbox::start().await;
    let mut settings = Settings::default();
    settings.outbound.mail = Some(mailbox.settings());
    (app.node_with(settings).await, mailbox)
}

async fn deliver(app: &TestApp) {
    mail::deliver(&app.app).await.expect("a delivery");
}

/// Makes all mail due now, whatever put it off.
async fn make_due(app: &TestApp) {
    let mut tx = app.app.db().begin().await.expect("a transaction");
    burgee_store::seeds::make_mail_due(&mut tx)
        .await
        .expect("an update");
    tx.commit().await.expect("commits");
}

both! {
    async fn an_invitation_is_mailed_with_its_link_and_again_on_demand(app) {
        let (app, mailbox) = with_mail(&app).await;
        let world = app.world().await;
        let path = format!("/api/v1/organisations/{}/invites/", world.organisation);
        let invite = app.post(&world.admin, &path, &json!({"email": "New@Example.com"})).await.expect(201);
        assert!(mailbox.received().is_empty(), "nothing is sent within the request");
        deliver(&app).await;
        let received = mailbox.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].to, "new@example.com");
        assert_eq!(received[0].header("from"), Some("Burgee <burgee@example.com>"));
        assert_eq!(received[0].header("subject"), Some("You are invited to Acme"));
        let link = received[0].link("/invite/");
        let hash = link.rsplit_once('/').expect("a path").1;

        let resend = format!("{path}{}/resend/", id(&invite));
        app.post(&world.admin, &resend, &json!({})).await.expect(200);
        deliver(&app).await;
        assert_eq!(mailbox.received().len(), 2);
        deliver(&app).await;
        assert_eq!(mailbox.received().len(), 2, "each is sent once");

        let guest = app.sign_up("new@example.com").await;
        app.manage(&guest, Method::POST, &format!("/api/v1/users/join/{hash}/"), None).await.expect(200);
    }

    async fn only_administrators_are_told_the_link_of_an_invitation(app) {
        let world = app.world().await;
        let path = format!("/api/v1/organisations/{}/invites/", world.organisation);
        let invite = app.post(&world.admin, &path, &json!({"email": "new@example.com"})).await.expect(201);
        let path = format!("{path}{}/link/", id(&invite));
        let link = app.get(&world.admin, &path).await.expect(200)["link"].clone();
        let link = link.as_str().expect("a link");
        let hash = link.strip_prefix("http://127.0.0.1:8000/invite/").expect("the public address");
        for person in [&world.member, &world.stranger] {
            app.get(person, &path).await.expect(403);
            app.post(person, &path.replace("link", "resend"), &json!({})).await.expect(403);
        }
        let guest = app.sign_up("new@example.com").await;
        app.manage(&guest, Method::POST, &format!("/api/v1/users/join/{hash}/"), None).await.expect(200);
    }

    async fn a_forgotten_password_is_reset_by_mail(app) {
        let (app, mailbox) = with_mail(&app).await;
        app.sign_up("ada@example.com").await;
        post(&app, "/api/v1/auth/users/reset_password/", json!({"email": "Ada@example.com"})).await.expect(204);
        post(&app, "/api/v1/auth/users/reset_password/", json!({"email": "ghost@example.com"})).await.expect(204);
        deliver(&app).await;
        let received = mailbox.received();
        assert_eq!(received.len(), 1);
        assert_eq!(received[0].to, "ada@example.com");
        let link = received[0].link("/password-reset/confirm/");
        let mut parts = link.rsplit('/');
        let (token, uid) = (parts.next().expect("a token"), parts.next().expect("a uid"));
        let body = json!({"uid": uid, "token": token, "new_password": "Str0ng-pass-9", "re_new_password": "Str0ng-pass-9"});
        post(&app, "/api/v1/auth/users/reset_password_confirm/", body.clone()).await.expect(204);
        post(&app, "/api/v1/auth/users/reset_password_confirm/", body).await.expect(400);
        let body = json!({"email": "ada@example.com", "password": "Str0ng-pass-9"});
        post(&app, "/api/v1/auth/login/", body).await.expect(200);
    }

    async fn nobody_is_sent_more_than_five_reset_links_a_day(app) {
        let (app, mailbox) = with_mail(&app).await;
        app.sign_up("ada@example.com").await;
        for _ in 0..7 {
            post(&app, "/api/v1/auth/users/reset_password/", json!({"email": "ada@example.com"})).await.expect(204);
        }
        deliver(&app).await;
        assert_eq!(mailbox.received().len(), 5);
    }

    async fn a_mail_that_is_not_taken_is_tried_again_later(app) {
        let (app, mailbox) = with_mail(&app).await;
        app.sign_up("ada@example.com").await;
        mailbox.refuse(1);
        post(&app, "/api/v1/auth/users/reset_password/", json!({"email": "ada@example.com"})).await.expect(204);
        deliver(&app).await;
        deliver(&app).await;
        assert!(mailbox.received().is_empty(), "it waits before it is tried again");
        make_due(&app).await;
        deliver(&app).await;
        assert_eq!(mailbox.received().len(), 1);
    }

    async fn nodes_that_deliver_at_once_send_each_mail_once(app) {
        let (app, mailbox) = with_mail(&app).await;
        let mut settings = Settings::default();
        settings.outbound.mail = Some(mailbox.settings());
        let other = app.node_with(settings).await;
        let world = app.world().await;
        let invites: Vec<_> = (0..12).map(|n| json!({"email": format!("guest{n}@example.com")})).collect();
        let path = format!("/api/v1/organisations/{}/invite/", world.organisation);
        app.post(&world.admin, &path, &json!({"invites": invites})).await.expect(201);
        tokio::join!(deliver(&app), deliver(&other), deliver(&app), deliver(&other));
        let mut addresses: Vec<_> = mailbox.received().into_iter().map(|mail| mail.to).collect();
        assert_eq!(addresses.len(), 12);
        addresses.sort();
        addresses.dedup();
        assert_eq!(addresses.len(), 12);
    }

    async fn what_waits_is_sealed_and_links_are_in_no_log(app) {
        let (app, _mailbox) = with_mail(&app).await;
        let world = app.world().await;
        let path = format!("/api/v1/organisations/{}/invites/", world.organisation);
        app.post(&world.admin, &path, &json!({"email": "new@example.com"})).await.expect(201);
        let mut tx = app.app.db().begin().await.expect("a transaction");
        let waiting = burgee_store::mails::claim(&mut tx, i64::MAX, 0, 10).await.expect("mails");
        assert_eq!(waiting.len(), 1);
        assert!(!waiting[0].content.contains("invite"));
        drop(tx);
        let log = format!("{:?}", app.log("INVITE").await);
        assert!(log.contains("new@example.com") && !log.contains("/invite/"), "{log}");
    }

    async fn the_version_says_whether_there_is_mail(app) {
        let path = "/version/";
        assert_eq!(app.call(Method::GET, path, &[], None).await.expect(200)["has_email_provider"], false);
        let (app, _mailbox) = with_mail(&app).await;
        assert_eq!(app.call(Method::GET, path, &[], None).await.expect(200)["has_email_provider"], true);
    }

    async fn invitations_cannot_be_sent_without_end(app) {
        let world = app.world().await;
        let path = format!("/api/v1/organisations/{}/invites/", world.organisation);
        for n in 0..10 {
            app.post(&world.admin, &path, &json!({"email": format!("g{n}@example.com")})).await.expect(201);
        }
        let refused = app.post(&world.admin, &path, &json!({"email": "last@example.com"})).await;
        assert!(refused.headers.contains_key("retry-after"));
        refused.expect(429);
    }
}
