//! Mail: what is sent to whom, and what happens when it is not taken.

use axum::http::Method;
use burgee_app::{Settings, mail};
use burgee_outbound::mail::{Carrier, MailSettings, Security, SmtpSettings};
use burgee_testkit::mailbox::{Demands, Mailbox};
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

/// The same installation with these settings of mail.
async fn with_settings(app: &TestApp, mail: MailSettings) -> TestApp {
    let mut settings = Settings::default();
    settings.outbound.mail = Some(mail);
    app.node_with(settings).await
}

/// A mail server that demands TLS, a user and his password.
async fn demanding(security: Security) -> Mailbox {
    Mailbox::demanding(Demands {
        security,
        credentials: Some(("burgee".to_owned(), "right".to_owned())),
    })
    .await
}

/// Settings with another way to the server.
fn changed(settings: MailSettings, change: impl FnOnce(&mut SmtpSettings)) -> MailSettings {
    let Carrier::Smtp(mut server) = settings.carrier else {
        panic!("no mail server");
    };
    change(&mut server);
    MailSettings {
        carrier: Carrier::Smtp(server),
        ..settings
    }
}

/// Somebody forgets his password, and the mail about it is delivered.
async fn forget(app: &TestApp, email: &str) {
    app.sign_up(email).await;
    let body = json!({ "email": email });
    post(app, "/api/v1/auth/users/reset_password/", body)
        .await
        .expect(204);
    deliver(app).await;
}

/// How many mails wait.
async fn waiting(app: &TestApp) -> usize {
    let mut tx = app.app.db().begin().await.expect("a transaction");
    let waiting = burgee_store::mails::claim(&mut tx, i64::MAX, 0, 100)
        .await
        .expect("mails");
    waiting.len()
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

    async fn mail_goes_out_encrypted_and_signed_in_where_the_server_demands_it(app) {
        for security in [Security::StartTls, Security::Tls] {
            let mailbox = demanding(security).await;
            let node = with_settings(&app, mailbox.settings()).await;
            forget(&node, &format!("{security:?}@example.com")).await;
            let received = mailbox.received();
            assert_eq!(received.len(), 1, "{security:?}");
            received[0].link("/password-reset/confirm/");
            assert_eq!(waiting(&node).await, 0);
        }
    }

    async fn nothing_is_sent_to_a_server_that_does_not_encrypt_as_demanded(app) {
        // It offers no STARTTLS.
        let mailbox = Mailbox::start().await;
        let settings = changed(mailbox.settings(), |server| server.security = Security::StartTls);
        let node = with_settings(&app, settings).await;
        forget(&node, "ada@example.com").await;
        assert!(mailbox.received().is_empty());
        assert_eq!(waiting(&node).await, 1);
    }

    async fn a_server_that_nobody_vouches_for_gets_neither_password_nor_mail(app) {
        for security in [Security::StartTls, Security::Tls] {
            let mailbox = demanding(security).await;
            let node = with_settings(&app, changed(mailbox.settings(), |server| server.authorities.clear())).await;
            forget(&node, &format!("{security:?}@example.com")).await;
            assert!(mailbox.received().is_empty(), "{security:?}");
            assert!(waiting(&node).await > 0);
            // Once somebody vouches for it, what waited is sent.
            let node = with_settings(&app, mailbox.settings()).await;
            make_due(&node).await;
            deliver(&node).await;
            assert!(!mailbox.received().is_empty(), "{security:?}");
        }
    }

    async fn a_server_of_another_name_is_not_the_one_that_was_meant(app) {
        let (mailbox, other) = (demanding(Security::Tls).await, demanding(Security::Tls).await);
        let stranger = changed(mailbox.settings(), |server| {
            let Carrier::Smtp(other) = other.settings().carrier else { return };
            server.authorities = other.authorities;
        });
        let node = with_settings(&app, stranger).await;
        forget(&node, "ada@example.com").await;
        assert!(mailbox.received().is_empty() && other.received().is_empty());
    }

    async fn with_a_wrong_password_mail_waits_and_the_password_is_in_no_text(app) {
        let mailbox = demanding(Security::StartTls).await;
        let wrong = |server: &mut SmtpSettings| server.credentials = Some(("burgee".to_owned(), "wr0ng-secret".to_owned()));
        let settings = changed(mailbox.settings(), wrong);
        assert!(!format!("{settings:?}").contains("wr0ng-secret"));
        let node = with_settings(&app, settings).await;
        forget(&node, "ada@example.com").await;
        assert!(mailbox.received().is_empty());
        assert_eq!(waiting(&node).await, 1);
        let node = with_settings(&app, mailbox.settings()).await;
        make_due(&node).await;
        deliver(&node).await;
        assert_eq!((mailbox.received().len(), waiting(&node).await), (1, 0));
    }

    async fn a_server_that_says_nothing_holds_up_a_delivery_for_its_time_only(app) {
        let mailbox = Mailbox::start().await;
        mailbox.say_nothing(1);
        let settings = MailSettings { timeout: std::time::Duration::from_millis(300), ..mailbox.settings() };
        let node = with_settings(&app, settings).await;
        let begun = std::time::Instant::now();
        forget(&node, "ada@example.com").await;
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
        assert!(mailbox.received().is_empty());
        make_due(&node).await;
        deliver(&node).await;
        assert_eq!(mailbox.received().len(), 1);
    }

    async fn while_the_server_is_away_mail_waits_and_then_is_sent_once(app) {
        let mailbox = Mailbox::start().await;
        // Nothing listens there any more.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let node = with_settings(&app, changed(mailbox.settings(), |server| server.port = port)).await;
        forget(&node, "ada@example.com").await;
        for _ in 0..2 {
            make_due(&node).await;
            deliver(&node).await;
        }
        assert_eq!(waiting(&node).await, 1);
        let node = with_settings(&app, mailbox.settings()).await;
        make_due(&node).await;
        deliver(&node).await;
        deliver(&node).await;
        assert_eq!((mailbox.received().len(), waiting(&node).await), (1, 0));
    }

    async fn a_mail_that_may_have_been_taken_comes_again_under_the_same_name(app) {
        let (app, mailbox) = with_mail(&app).await;
        mailbox.break_off(1);
        forget(&app, "ada@example.com").await;
        assert_eq!((mailbox.received().len(), waiting(&app).await), (1, 1));
        make_due(&app).await;
        deliver(&app).await;
        let received = mailbox.received();
        assert_eq!((received.len(), waiting(&app).await), (2, 0));
        let ids: Vec<_> = received.iter().map(|mail| mail.header("message-id").unwrap()).collect();
        assert_eq!(ids[0], ids[1]);
    }

    async fn without_mail_nothing_waits_for_a_writer(app) {
        let (node, _mailbox) = with_mail(&app).await;
        node.sign_up("ada@example.com").await;
        post(&node, "/api/v1/auth/users/reset_password/", json!({"email": "ada@example.com"})).await.expect(204);
        make_due(&node).await;
        // Somebody writes, for long; mail was switched off meanwhile.
        let writing = app.app.begin().await.unwrap();
        let delivery = tokio::time::timeout(std::time::Duration::from_secs(20), mail::deliver(&app.app));
        delivery.await.expect("it does not wait").unwrap();
        drop(writing);
    }
}
