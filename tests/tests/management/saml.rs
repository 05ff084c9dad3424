//! SAML: identity providers of organisations, and signing in through them.

use axum::http::Method;
use base64::Engine as _;
use burgee_testkit::idp::{self, Signed, Writer, encode};
use burgee_testkit::places::{Person, World};
use burgee_testkit::{Answer, TestApp, both};
use serde_json::{Value, json};

/// Makes a response wrong.
type Spoil = fn(&mut Writer);

const SITE: &str = "http://127.0.0.1:8000";
const CONFIGURATIONS: &str = "/api/v1/auth/saml/configuration/";
const MAPPINGS: &str = "/api/v1/auth/saml/attribute-mapping/";

async fn anybody(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(Method::POST, path, &[], Some(&body)).await
}

fn configuration(world: &World) -> Value {
    json!({"organisation": world.organisation, "name": "acme", "frontend_url": "https://flags.example.com",
           "idp_metadata_xml": idp::metadata(), "allow_idp_initiated": true})
}

/// A world with an identity provider.
async fn with_provider(app: &TestApp) -> World {
    let world = app.world().await;
    app.post(&world.admin, CONFIGURATIONS, &configuration(&world))
        .await
        .expect(201);
    world
}

async fn respond(app: &TestApp, posted: &str) -> Answer {
    anybody(
        app,
        "/api/v1/auth/saml/acme/response/",
        json!({"SAMLResponse": posted}),
    )
    .await
}

/// The key of somebody whom a response signs in.
async fn sign_in(app: &TestApp, writer: &Writer) -> String {
    let answer = respond(app, &writer.post()).await;
    assert_eq!(answer.status.as_u16(), 302, "{}", answer.text);
    let location = answer.headers["location"].to_str().unwrap();
    let code = location
        .strip_prefix("https://flags.example.com/saml?code=")
        .expect("the dashboard");
    let answer = anybody(app, "/api/v1/auth/saml/login/", json!({"access_token": code}))
        .await
        .expect(200);
    assert_eq!(answer.as_object().unwrap().len(), 1);
    let again = anybody(app, "/api/v1/auth/saml/login/", json!({"access_token": code})).await;
    again.expect(401);
    answer["key"].as_str().unwrap().to_owned()
}

async fn me(app: &TestApp, key: &str) -> Value {
    app.manage(key, Method::GET, "/api/v1/auth/users/me/", None)
        .await
        .expect(200)
}

/// A response that nobody asked for.
fn unsolicited(email: &str) -> Writer {
    Writer::new(SITE, "acme", email)
}

#[track_caller]
fn refused(answer: Answer, why: &str) {
    let body = answer.expect(400);
    let text = body["detail"].as_str().unwrap_or_default();
    assert!(text.contains(why), "{why} in {text}");
}

async fn request(app: &TestApp) -> (String, String) {
    let answer = anybody(app, "/api/v1/auth/saml/acme/request/", json!({}))
        .await
        .expect(200);
    let url = answer["headers"]["Location"].as_str().unwrap().to_owned();
    assert_eq!((&answer["url"], &answer["status"]), (&json!(url), &json!(302)));
    let packed = url.split_once("SAMLRequest=").expect("a request").1;
    let packed = packed.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let deflated = base64::engine::general_purpose::STANDARD.decode(packed).unwrap();
    let mut xml = String::new();
    std::io::Read::read_to_string(&mut flate2::read::DeflateDecoder::new(&deflated[..]), &mut xml).unwrap();
    let id = xml
        .split_once(" ID=\"")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    (url, id)
}

both! {
    async fn a_configuration_is_made_seen_changed_and_removed_by_administrators(app) {
        let world = app.world().await;
        let made = app.post(&world.admin, CONFIGURATIONS, &configuration(&world)).await.expect(201);
        assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(),
                   ["id", "organisation", "name", "frontend_url", "idp_metadata_xml", "allow_idp_initiated"]);
        let list = app.get(&world.admin, &format!("{CONFIGURATIONS}?organisation={}", world.organisation)).await.expect(200);
        assert_eq!((&list["count"], &list["results"][0]), (&json!(1), &made));
        let path = format!("{CONFIGURATIONS}acme/");
        let changed = app.patch(&world.admin, &path, &json!({"allow_idp_initiated": false})).await.expect(200);
        assert_eq!(changed["allow_idp_initiated"], false);
        app.put(&world.admin, &path, &json!({"name": "acme"})).await.expect(400);
        for person in [&world.member, &world.stranger] {
            app.get(person, &path).await.expect(404);
            app.patch(person, &path, &json!({"allow_idp_initiated": true})).await.expect(404);
            app.delete(person, &path).await.expect(404);
            app.get(person, &format!("{CONFIGURATIONS}?organisation={}", world.organisation)).await.expect(403);
            app.post(person, CONFIGURATIONS, &configuration(&world)).await.expect(403);
        }
        app.delete(&world.admin, &path).await.expect(204);
        app.get(&world.admin, &path).await.expect(404);
        let log = app.log("SAML_CONFIGURATION").await;
        assert_eq!(log.len(), 3);
    }

    async fn what_is_wrong_with_a_configuration_is_named(app) {
        let world = with_provider(&app).await;
        let tries = [
            ("name", json!("a b/c")), ("name", json!("")), ("frontend_url", json!("javascript:alert(1)")),
            ("idp_metadata_xml", json!("<x/>")), ("idp_metadata_xml", json!("no xml")), ("name", json!("acme")),
        ];
        for (field, value) in tries {
            let mut body = configuration(&world);
            body["name"] = json!("other");
            body[field] = value;
            let wrong = app.post(&world.admin, CONFIGURATIONS, &body).await.expect(400);
            assert!(wrong[field].is_array(), "{field}: {wrong}");
        }
        app.get(&world.admin, CONFIGURATIONS).await.expect(400);
    }

    async fn mappings_are_written_by_administrators_of_their_configuration(app) {
        let world = with_provider(&app).await;
        let path = format!("{CONFIGURATIONS}acme/");
        let id = app.get(&world.admin, &path).await.expect(200)["id"].clone();
        let body = json!({"saml_configuration": id, "django_attribute_name": "email", "idp_attribute_name": "upn"});
        let made = app.post(&world.admin, MAPPINGS, &body).await.expect(201);
        assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(),
                   ["id", "saml_configuration", "django_attribute_name", "idp_attribute_name"]);
        app.post(&world.admin, MAPPINGS, &body).await.expect(400);
        app.post(&world.stranger, MAPPINGS, &body).await.expect(400);
        let list = app.get(&world.admin, &format!("{MAPPINGS}?saml_configuration={id}")).await.expect(200);
        assert_eq!(list["results"], json!([made]));
        app.get(&world.stranger, &format!("{MAPPINGS}?saml_configuration={id}")).await.expect(400);
        let path = format!("{MAPPINGS}{}/", made["id"]);
        app.get(&world.stranger, &path).await.expect(404);
        app.delete(&world.stranger, &path).await.expect(404);
        let changed = app.patch(&world.admin, &path, &json!({"idp_attribute_name": "mail"})).await.expect(200);
        assert_eq!(changed["idp_attribute_name"], "mail");
        let wrong = json!({"django_attribute_name": "is_superuser"});
        assert!(app.patch(&world.admin, &path, &wrong).await.expect(400)["django_attribute_name"].is_array());
        app.delete(&world.admin, &path).await.expect(204);
    }

    async fn the_service_describes_itself(app) {
        with_provider(&app).await;
        let answer = app.call(Method::GET, "/api/v1/auth/saml/acme/metadata/", &[], None).await;
        assert!(answer.text.contains("EntityDescriptor") && answer.text.contains("/api/v1/auth/saml/acme/response/"));
        answer.expect(200);
        app.call(Method::GET, "/api/v1/auth/saml/none/metadata/", &[], None).await.expect(404);
        anybody(&app, "/api/v1/auth/saml/none/request/", json!({})).await.expect(404);
    }

    async fn somebody_new_is_signed_up_and_becomes_a_member(app) {
        let world = with_provider(&app).await;
        let (url, id) = request(&app).await;
        assert!(url.starts_with("https://idp.example.com/sso?tenant=1&SAMLRequest="));
        let mut writer = unsolicited("Grace@example.com").with("givenName", &["Grace"]).with("sn", &["Hopper"]);
        writer.in_response_to = Some(id);
        let key = sign_in(&app, &writer).await;
        let user = me(&app, &key).await;
        assert_eq!((&user["email"], &user["first_name"], &user["last_name"]),
                   (&json!("grace@example.com"), &json!("Grace"), &json!("Hopper")));
        let members = app.get(&world.admin, &format!("/api/v1/organisations/{}/users/", world.organisation)).await.expect(200);
        let grace = members.as_array().unwrap().iter().find(|member| member["id"] == user["id"]).expect("a member");
        assert_eq!(grace["role"], "USER");
        let again = sign_in(&app, &unsolicited("Grace@example.com")).await;
        assert_eq!(me(&app, &again).await["id"], user["id"]);
    }

    async fn a_signed_response_is_as_good_as_a_signed_assertion(app) {
        with_provider(&app).await;
        let mut writer = unsolicited("grace@example.com");
        writer.signed = Signed::Response;
        sign_in(&app, &writer).await;
    }

    async fn a_request_is_answered_once_and_an_assertion_used_once(app) {
        with_provider(&app).await;
        let (_, id) = request(&app).await;
        let mut writer = unsolicited("grace@example.com");
        writer.in_response_to = Some(id);
        sign_in(&app, &writer).await;
        refused(respond(&app, &writer.post()).await, "no open request");
        writer.in_response_to = Some("_never-asked".to_owned());
        refused(respond(&app, &writer.post()).await, "no open request");
        let posted = unsolicited("grace@example.com").post();
        assert_eq!(respond(&app, &posted).await.status.as_u16(), 302);
        refused(respond(&app, &posted).await, "used before");
    }

    async fn what_nobody_asked_for_is_refused_unless_allowed(app) {
        let world = with_provider(&app).await;
        let path = format!("{CONFIGURATIONS}acme/");
        app.patch(&world.admin, &path, &json!({"allow_idp_initiated": false})).await.expect(200);
        refused(respond(&app, &unsolicited("grace@example.com").post()).await, "nobody asked");
    }

    async fn a_response_that_is_not_meant_for_us_now_is_refused(app) {
        with_provider(&app).await;
        let tries: [(&str, Spoil); 9] = [
            ("another audience", |w| "https://other.example.com".clone_into(&mut w.audience)),
            ("another recipient", |w| "https://other.example.com".clone_into(&mut w.recipient)),
            ("another destination", |w| "https://other.example.com".clone_into(&mut w.destination)),
            ("another issuer", |w| "https://other.example.com".clone_into(&mut w.issuer)),
            ("expired", |w| w.until = -120),
            ("not hold yet", |w| w.from = 120),
            ("more than a day", |w| w.until = 90_000),
            ("signed nobody in", |w| "urn:oasis:names:tc:SAML:2.0:status:Responder".clone_into(&mut w.status)),
            ("lacks its NameID", |w| w.name_id = String::new()),
        ];
        for (why, change) in tries {
            let mut writer = unsolicited("grace@example.com");
            change(&mut writer);
            refused(respond(&app, &writer.post()).await, why);
        }
        sign_in(&app, &unsolicited("grace@example.com")).await;
    }

    async fn what_is_not_signed_or_by_somebody_else_is_refused(app) {
        with_provider(&app).await;
        let mut writer = unsolicited("grace@example.com");
        writer.signed = Signed::Nothing;
        refused(respond(&app, &writer.post()).await, "is signed");
        for signed in [Signed::Assertion, Signed::Response] {
            let mut writer = unsolicited("grace@example.com");
            writer.signed = signed;
            // The certificate of the other key comes along in the signature.
            let mut foreign = writer.clone();
            foreign.key = 1;
            refused(respond(&app, &foreign.post()).await, "not one of the identity provider");
            let tampered = writer.xml().replace("grace@example.com", "admin@example.com");
            refused(respond(&app, &encode(&tampered)).await, "not one of the identity provider");
            let stripped = writer.xml();
            let (before, rest) = stripped.split_once("<ds:SignatureValue>").unwrap();
            let (_, after) = rest.split_once("</ds:SignatureValue>").unwrap();
            let stripped = format!("{before}<ds:SignatureValue></ds:SignatureValue>{after}");
            assert_eq!(respond(&app, &encode(&stripped)).await.status.as_u16(), 400);
        }
    }

    async fn weak_or_odd_ways_to_sign_are_refused(app) {
        with_provider(&app).await;
        let good = unsolicited("grace@example.com").xml();
        for (from, to) in [
            ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
            ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
            ("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"),
            ("http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
            ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xpath-19991116"),
            ("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"),
            ("<ds:Reference URI=\"#", "<ds:Reference URI=\"file:///etc/passwd#"),
        ] {
            assert!(good.contains(from), "{from}");
            refused(respond(&app, &encode(&good.replace(from, to))).await, "not accepted");
        }
        let bare = good.split_once("<ds:Reference URI=\"").unwrap();
        let whole = format!("{}<ds:Reference URI=\"{}", bare.0, &bare.1[bare.1.find('"').unwrap()..]);
        refused(respond(&app, &encode(&whole)).await, "refers to something else");
    }

    async fn a_signature_cannot_be_wrapped_around_other_assertions(app) {
        with_provider(&app).await;
        let good = unsolicited("grace@example.com").xml();
        let start = good.find("<saml:Assertion").unwrap();
        let end = good.find("</saml:Assertion>").unwrap() + "</saml:Assertion>".len();
        let assertion = &good[start..end];
        let s = assertion.find("<ds:Signature").unwrap();
        let e = assertion.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
        let signature = &assertion[s..e];
        let evil = format!("{}{}", &assertion[..s], &assertion[e..])
            .replace("grace@example.com", "admin@example.com");
        let evil_other_id = evil.replacen("ID=\"_", "ID=\"_evil", 1);
        let (head, tail) = (&good[..start], &good[end..]);
        let wrapped = [
            // A forged assertion before or after the signed one.
            format!("{head}{evil_other_id}{assertion}{tail}"),
            format!("{head}{assertion}{evil_other_id}{tail}"),
            // The signed one inside an extension, a forged one in its place.
            format!("{head}<samlp:Extensions>{assertion}</samlp:Extensions>{evil_other_id}{tail}"),
            // The signed one inside the forged one, which carries its signature.
            format!("{head}{}{tail}", evil_other_id.replace("<saml:Subject>",
                &format!("{}<saml:Subject>", signature.replace("</ds:Signature>",
                    &format!("<ds:Object>{assertion}</ds:Object></ds:Signature>"))))),
            // The same id twice.
            format!("{head}{evil}{assertion}{tail}"),
            format!("{head}<samlp:Extensions>{assertion}</samlp:Extensions>{evil}{tail}"),
            // The signature of the signed one in the forged one.
            format!("{head}{}{tail}", evil_other_id.replace("<saml:Subject>", &format!("{signature}<saml:Subject>"))),
            format!("{head}{}{tail}", evil.replace("<saml:Subject>", &format!("{signature}<saml:Subject>"))),
        ];
        for (n, xml) in wrapped.iter().enumerate() {
            assert_eq!(respond(&app, &encode(xml)).await.status.as_u16(), 400, "way {n}");
        }
        assert_eq!(respond(&app, &encode(&good)).await.status.as_u16(), 302);
    }

    async fn comments_entities_and_document_types_change_nobody(app) {
        let world = with_provider(&app).await;
        let good = unsolicited("admin@example.com.evil.example").xml();
        // Signed forms have no comments, so this is still genuine; it must not cut the name short.
        let commented = good.replace("admin@example.com.evil.example", "admin@example.com<!-- -->.evil.example");
        let answer = respond(&app, &encode(&commented)).await;
        assert_eq!(answer.status.as_u16(), 302, "{}", answer.text);
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        let code = location.split_once("code=").unwrap().1;
        let key = anybody(&app, "/api/v1/auth/saml/login/", json!({"access_token": code})).await.expect(200);
        let user = me(&app, key["key"].as_str().unwrap()).await;
        assert_eq!(user["email"], "admin@example.com.evil.example");
        assert_ne!(user["id"], json!(world.admin.id));

        let xxe = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
        for prolog in [xxe, bomb] {
            refused(respond(&app, &encode(&format!("{prolog}{good}"))).await, "document type");
        }
        let deep = format!("{}{}", "<a>".repeat(15_000), "</a>".repeat(15_000));
        for xml in [deep.as_str(), "<a", "", "<samlp:Response/>", "\u{0}"] {
            assert_eq!(respond(&app, &encode(xml)).await.status.as_u16(), 400);
        }
        respond(&app, "%%%").await.expect(400);
        anybody(&app, "/api/v1/auth/saml/acme/response/", json!({})).await.expect(400);
        anybody(&app, "/api/v1/auth/saml/acme/response/", json!({"SAMLResponse": 5})).await.expect(400);
    }

    async fn an_organisations_provider_signs_in_nobody_of_others(app) {
        let world = with_provider(&app).await;
        // Of another organisation; of none; an administrator of the installation.
        refused(respond(&app, &unsolicited("stranger@example.com").post()).await, "not this organisation's alone");
        app.person("loner").await;
        refused(respond(&app, &unsolicited("loner@example.com").post()).await, "not this organisation's alone");
        let mut tx = app.app.db().begin().await.unwrap();
        burgee_store::seeds::make_superuser(&mut tx, world.member.id).await.unwrap();
        tx.commit().await.unwrap();
        refused(respond(&app, &unsolicited("member@example.com").post()).await, "not this organisation's alone");
        let admin = sign_in(&app, &unsolicited("admin@example.com")).await;
        assert_eq!(me(&app, &admin).await["id"], json!(world.admin.id));
        // Who joined another one later is no longer this organisation's alone.
        let admin = Person { id: world.admin.id, token: admin };
        app.organisation("Second", &admin, "USER").await;
        refused(respond(&app, &unsolicited("admin@example.com").post()).await, "not this organisation's alone");
    }

    async fn a_superusers_provider_signs_in_everybody(app) {
        let world = app.world().await;
        let mut tx = app.app.db().begin().await.unwrap();
        burgee_store::seeds::make_superuser(&mut tx, world.admin.id).await.unwrap();
        tx.commit().await.unwrap();
        app.post(&world.admin, CONFIGURATIONS, &configuration(&world)).await.expect(201);
        for email in ["stranger@example.com", "admin@example.com"] {
            sign_in(&app, &unsolicited(email)).await;
        }
        // Not any more once somebody else changed it.
        let path = format!("/api/v1/organisations/{}/users/{}/update-role/", world.organisation, world.stranger.id);
        app.post(&world.admin, &path, &json!({"role": "ADMIN"})).await.expect(200);
        let path = format!("{CONFIGURATIONS}acme/");
        app.patch(&world.stranger, &path, &json!({"allow_idp_initiated": true})).await.expect(200);
        refused(respond(&app, &unsolicited("admin@example.com").post()).await, "not this organisation's alone");
    }

    async fn closed_registration_holds_for_saml_too(app) {
        let settings = burgee_app::Settings { registration_open: false, ..burgee_app::Settings::default() };
        let app = app.node_with(settings).await;
        let world = with_provider(&app).await;
        respond(&app, &unsolicited("grace@example.com").post()).await.expect(403);
        let path = format!("/api/v1/organisations/{}/invites/", world.organisation);
        let invite = json!({"email": "grace@example.com", "role": "ADMIN"});
        app.post(&world.admin, &path, &invite).await.expect(201);
        let key = sign_in(&app, &unsolicited("grace@example.com")).await;
        let organisations = app.manage(&key, Method::GET, "/api/v1/organisations/", None).await.expect(200);
        assert_eq!(organisations["results"][0]["role"], "ADMIN");
        assert_eq!(app.get(&world.admin, &path).await.expect(200)["count"], 0);
    }

    async fn groups_follow_what_the_provider_says(app) {
        let world = with_provider(&app).await;
        let groups = format!("/api/v1/organisations/{}/groups/", world.organisation);
        let group = |name: &'static str, external: Value| json!({"name": name, "external_id": external});
        for body in [group("Developers", json!("dev")), group("Operators", json!("ops")), group("Free", Value::Null)] {
            app.post(&world.admin, &groups, &body).await.expect(201);
        }
        let id = app.get(&world.admin, &format!("{CONFIGURATIONS}acme/")).await.expect(200)["id"].clone();
        for (ours, theirs) in [("groups", "memberOf"), ("email", "upn")] {
            let body = json!({"saml_configuration": id, "django_attribute_name": ours, "idp_attribute_name": theirs});
            app.post(&world.admin, MAPPINGS, &body).await.expect(201);
        }
        for named in [&["dev"][..], &["ops", "unknown"], &[]] {
            let writer = unsolicited("opaque-id-1").with("upn", &["grace@example.com"]).with("memberOf", named);
            sign_in(&app, &writer).await;
            let list = app.get(&world.admin, &groups).await.expect(200);
            let held: Vec<_> = list["results"].as_array().unwrap().iter()
                .filter(|group| group["users"].as_array().unwrap().iter().any(|user| user["email"] == "grace@example.com"))
                .map(|group| group["external_id"].as_str().unwrap().to_owned())
                .collect();
            let expected: Vec<_> = named.iter().filter(|name| **name != "unknown").map(|&name| name.to_owned()).collect();
            assert_eq!(held, expected);
        }
    }

    async fn a_configuration_and_a_mapping_are_written_anew(app) {
        let world = with_provider(&app).await;
        let path = format!("{CONFIGURATIONS}acme/");
        let mut body = configuration(&world);
        body["name"] = json!("acme-2");
        body["allow_idp_initiated"] = json!(false);
        let written = app.put(&world.admin, &path, &body).await.expect(200);
        assert_eq!((&written["name"], &written["allow_idp_initiated"]), (&json!("acme-2"), &json!(false)));
        app.get(&world.admin, &path).await.expect(404);
        let kept = app.get(&world.admin, &format!("{CONFIGURATIONS}acme-2/")).await.expect(200);
        assert_eq!(kept, written);
        for person in [&world.member, &world.stranger] {
            app.put(person, &format!("{CONFIGURATIONS}acme-2/"), &body).await.expect(404);
        }
        // What belongs to another organisation can't be taken along.
        let elsewhere = app.organisation("Third", &world.stranger, "ADMIN").await;
        body["organisation"] = json!(elsewhere);
        let refused = app.put(&world.admin, &format!("{CONFIGURATIONS}acme-2/"), &body).await;
        assert!([400, 403].contains(&refused.status.as_u16()), "{}", refused.text);

        let body = json!({"saml_configuration": kept["id"], "django_attribute_name": "email", "idp_attribute_name": "mail"});
        let made = app.post(&world.admin, MAPPINGS, &body).await.expect(201);
        let one = format!("{MAPPINGS}{}/", made["id"]);
        assert_eq!(app.get(&world.admin, &one).await.expect(200), made);
        let body = json!({"saml_configuration": kept["id"], "django_attribute_name": "first_name", "idp_attribute_name": "given"});
        let written = app.put(&world.admin, &one, &body).await.expect(200);
        assert_eq!(written, json!({"id": made["id"], "saml_configuration": kept["id"], "django_attribute_name": "first_name",
            "idp_attribute_name": "given"}));
        let missing = app.put(&world.admin, &one, &json!({})).await.expect(400);
        assert_eq!(missing.as_object().unwrap().keys().collect::<Vec<_>>(),
                   ["saml_configuration", "django_attribute_name", "idp_attribute_name"]);
        let mut wrong = body.clone();
        wrong["django_attribute_name"] = json!("password");
        assert_eq!(app.put(&world.admin, &one, &wrong).await.expect(400),
                   json!({"django_attribute_name": ["\"password\" is not a valid choice."]}));
        for person in [&world.member, &world.stranger] {
            app.get(person, &one).await.expect(404);
            app.put(person, &one, &body).await.expect(404);
        }
    }

}
