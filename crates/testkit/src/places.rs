//! A world for tests of the management API: an organisation with people, a project and an environment.

use axum::http::Method;
use burgee_store::grants::{self, Grant, Object};
use burgee_store::seeds;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{Answer, TestApp};

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    pub id: i64,
    pub token: String,
}

/// An organisation with one project and one environment, and the people around it.
#[derive(Debug, Clone)]
pub struct World {
    /// Administers the organisation.
    pub admin: Person,
    /// Belongs to the organisation and may do nothing in it, until granted.
    pub member: Person,
    /// Administers another organisation.
    pub stranger: Person,
    pub organisation: i64,
    pub project: i64,
    pub environment: i64,
    /// The client-side key of the environment.
    pub key: String,
}

impl TestApp {
    /// Somebody new, without an organisation.
    pub async fn person(&self, name: &str) -> Person {
        let token = format!("token-of-{name}");
        let digest = Sha256::digest(token.as_bytes());
        let hash = burgee_model::keys::hex(&digest);
        let mut tx = self.app.db().begin().await.expect("a transaction");
        let id = seeds::user(&mut tx, &format!("{name}@example.com"), &hash)
            .await
            .expect("a user");
        tx.commit().await.expect("commits");
        Person { id, token }
    }

    /// A new organisation with one member.
    pub async fn organisation(&self, name: &str, person: &Person, role: &str) -> i64 {
        let mut tx = self.app.db().begin().await.expect("a transaction");
        let id = seeds::organisation(&mut tx, name).await.expect("an organisation");
        seeds::member(&mut tx, id, person.id, role)
            .await
            .expect("a member");
        tx.commit().await.expect("commits");
        id
    }

    /// Makes somebody a member of an organisation.
    pub async fn join(&self, organisation: i64, person: &Person, role: &str) {
        let mut tx = self.app.db().begin().await.expect("a transaction");
        seeds::member(&mut tx, organisation, person.id, role)
            .await
            .expect("a member");
        tx.commit().await.expect("commits");
    }

    /// Gives somebody permissions at an object, beside those he has there.
    pub async fn grant(&self, person: &Person, object: Object, permissions: &[&str]) {
        let (organisation_id, project_id, environment_id) = object.columns();
        let mut tx = self.app.db().begin().await.expect("a transaction");
        let present = grants::list(&mut tx, object).await.expect("grants");
        let present = present.into_iter().find(|grant| grant.user_id == Some(person.id));
        let mut keys = present.as_ref().map(Grant::keys).unwrap_or_default();
        keys.extend(permissions.iter().map(|&key| key.to_owned()));
        let permissions = json!(keys).to_string();
        if let Some(grant) = present {
            let grant = Grant { permissions, ..grant };
            grants::update(&mut tx, &grant).await.expect("a grant");
        } else {
            let grant = Grant {
                id: 0,
                organisation_id,
                project_id,
                environment_id,
                user_id: Some(person.id),
                group_id: None,
                role_id: None,
                admin: false,
                permissions,
            };
            grants::insert(&mut tx, &grant).await.expect("a grant");
        }
        tx.commit().await.expect("commits");
    }

    /// The usual world.
    pub async fn world(&self) -> World {
        let (admin, member, stranger) = (
            self.person("admin").await,
            self.person("member").await,
            self.person("stranger").await,
        );
        let organisation = self.organisation("Acme", &admin, "ADMIN").await;
        self.organisation("Elsewhere", &stranger, "ADMIN").await;
        let mut tx = self.app.db().begin().await.expect("a transaction");
        seeds::member(&mut tx, organisation, member.id, "USER")
            .await
            .expect("a member");
        tx.commit().await.expect("commits");
        let project = self.project(&admin, organisation, "Web").await;
        let (environment, key) = self.environment(&admin, project, "Development").await;
        World {
            admin,
            member,
            stranger,
            organisation,
            project,
            environment,
            key,
        }
    }

    /// A new project; returns its id.
    pub async fn project(&self, admin: &Person, organisation: i64, name: &str) -> i64 {
        let body = json!({ "name": name, "organisation": organisation });
        let answer = self.by(admin, Method::POST, "/api/v1/projects/", Some(&body));
        id(&answer.await.expect(201))
    }

    /// A new environment; returns its id and its client-side key.
    pub async fn environment(&self, admin: &Person, project: i64, name: &str) -> (i64, String) {
        let body = json!({ "name": name, "project": project });
        let answer = self
            .by(admin, Method::POST, "/api/v1/environments/", Some(&body))
            .await
            .expect(201);
        let key = answer["api_key"].as_str().expect("a key").to_owned();
        (id(&answer), key)
    }

    /// The change log about one kind of object, oldest first.
    pub async fn log(&self, object_type: &str) -> Vec<seeds::LogEntry> {
        let mut tx = self.app.db().read().await.expect("a transaction");
        seeds::log(&mut tx, object_type).await.expect("the log")
    }

    /// A management call as somebody.
    pub async fn by(&self, person: &Person, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.manage(&person.token, method, path, body).await
    }

    /// GET as somebody.
    pub async fn get(&self, person: &Person, path: &str) -> Answer {
        self.by(person, Method::GET, path, None).await
    }

    /// POST as somebody.
    pub async fn post(&self, person: &Person, path: &str, body: &Value) -> Answer {
        self.by(person, Method::POST, path, Some(body)).await
    }

    /// PUT as somebody.
    pub async fn put(&self, person: &Person, path: &str, body: &Value) -> Answer {
        self.by(person, Method::PUT, path, Some(body)).await
    }

    /// PATCH as somebody.
    pub async fn patch(&self, person: &Person, path: &str, body: &Value) -> Answer {
        self.by(person, Method::PATCH, path, Some(body)).await
    }

    /// DELETE as somebody.
    pub async fn delete(&self, person: &Person, path: &str) -> Answer {
        self.by(person, Method::DELETE, path, None).await
    }
}

/// The id of an object that was answered.
#[track_caller]
pub fn id(object: &Value) -> i64 {
    object["id"].as_i64().expect("an id")
}
