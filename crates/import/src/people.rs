//! Taking people: users with what they sign in with, organisations, groups, invitations, keys and grants.

use std::collections::{BTreeSet, HashMap};

use burgee_app::App;
use burgee_auth::{django, tokens};
use burgee_model::Timestamp;
use burgee_model::permissions::{EnvironmentPermission, OrganisationPermission, ProjectPermission};
use burgee_store::bulk::tables;
use burgee_store::imports::{self, Origin};
use serde_json::json;

use crate::configuration::Configuration;
use crate::noun;
use crate::records::{Grant, Level, User};
use crate::taking::{How, Incoming, IncomingLink, Taker};
use crate::{Result, stable_uuid};

/// Users, with what signs them in.
pub(crate) async fn take_users(taker: &mut Taker<'_>, app: &App, from: &Configuration) -> Result<()> {
    let mut addresses: HashMap<String, i64> = HashMap::new();
    let mut rows = Vec::with_capacity(from.users.len());
    let mut same_person = Vec::new();
    for user in &from.users {
        let email = user.email.trim().to_lowercase();
        if let Some(first) = addresses.get(&email) {
            same_person.push((user.id, *first));
            taker.report.leave_out(
                noun::USER,
                user.id,
                "another user has the same address in other letters; what is his is given to that one",
            );
            continue;
        }
        addresses.insert(email.clone(), user.id);
        rows.push(user_row(taker, user, email));
    }
    let how = How {
        leaves_present: true,
        ..How::default()
    };
    taker.rows(noun::USER, &tables::USERS, rows, how).await?;
    for (same, first) in same_person {
        if let Some(id) = taker.id(noun::USER, first) {
            taker.ids.entry(noun::USER).or_default().insert(same, id);
        }
    }
    take_tokens(taker, from).await?;
    take_second_factors(taker, app, from).await
}

fn user_row(taker: &mut Taker<'_>, user: &User, email: String) -> Incoming {
    let password = user
        .password
        .as_deref()
        .filter(|stored| !stored.is_empty() && !stored.starts_with('!'));
    let usable = password.filter(|stored| django::is_known(stored));
    if password.is_some() && usable.is_none() {
        let text =
            "the password is stored in a way that can't be checked here: a new one must be asked for by mail";
        taker.report.note(noun::USER, user.id, text);
    }
    let now = Timestamp::now().0;
    let cells = vec![
        uuid(user.uuid.as_deref(), noun::USER, user.id).into(),
        email.into(),
        user.first_name.as_str().into(),
        user.last_name.as_str().into(),
        usable.into(),
        user.is_active.into(),
        user.is_superuser.into(),
        user.sign_up_type.as_deref().into(),
        user.marketing_consent_given.into(),
        user.onboarding_data.as_deref().into(),
        user.date_joined.unwrap_or(now).into(),
        user.last_login.into(),
    ];
    Incoming {
        secret: Some(("password", tokens::lookup_hash(usable.unwrap_or_default()))),
        ..Incoming::new(user.id, cells)
    }
}

/// The uuid it has, or one that is always the same for it.
pub(crate) fn uuid(given: Option<&str>, noun: &str, id: i64) -> String {
    given.map_or_else(|| stable_uuid(noun, id), str::to_owned)
}

async fn take_tokens(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(all) = &from.tokens else { return Ok(()) };
    let import = taker.import.id;
    let mut known: HashMap<i64, Origin> = imports::origins(taker.tx, import, noun::TOKEN, i64::MIN, i64::MAX)
        .await?
        .into_iter()
        .map(|origin| (origin.source_id, origin))
        .collect();
    let mut count = crate::report::Count {
        found: all.len() as u64,
        ..Default::default()
    };
    for token in all {
        let Some(user_id) = taker.id(noun::USER, token.user_id) else {
            count.not_taken += 1;
            continue;
        };
        let hash = tokens::lookup_hash(&token.key);
        let before = known.remove(&token.user_id);
        if before
            .as_ref()
            .is_some_and(|origin| origin.digest.as_ref() == Some(&hash))
        {
            count.unchanged += 1;
            continue;
        }
        if let Some(old) = before.as_ref().and_then(|origin| origin.digest.as_deref()) {
            imports::delete_token(taker.tx, old).await?;
        }
        imports::insert_token(taker.tx, &hash, user_id, token.created.unwrap_or_default()).await?;
        let origin = Origin {
            source_id: token.user_id,
            row_id: user_id,
            other_id: None,
            digest: Some(hash),
        };
        imports::set_origin(taker.tx, import, noun::TOKEN, &origin).await?;
        if before.is_some() {
            count.updated += 1;
        } else {
            count.created += 1;
        }
    }
    for gone in known.into_values() {
        if let Some(hash) = &gone.digest {
            count.removed += imports::delete_token(taker.tx, hash).await?;
        }
        imports::forget(taker.tx, import, noun::TOKEN, gone.source_id).await?;
    }
    taker.written += count.created + count.updated + count.removed;
    taker.report.count(noun::TOKEN, &count);
    Ok(())
}

async fn take_second_factors(taker: &mut Taker<'_>, app: &App, from: &Configuration) -> Result<()> {
    let Some(all) = &from.mfa_methods else {
        return Ok(());
    };
    let import = taker.import.id;
    let known: HashMap<i64, Origin> =
        imports::origins(taker.tx, import, noun::SECOND_FACTOR, i64::MIN, i64::MAX)
            .await?
            .into_iter()
            .map(|origin| (origin.source_id, origin))
            .collect();
    let mut count = crate::report::Count::default();
    for method in all.iter().filter(|method| method.is_active) {
        count.found += 1;
        let user_id = taker.id(noun::USER, method.user_id);
        let (Some(user_id), "app") = (user_id, method.name.as_str()) else {
            count.found -= 1;
            taker.report.leave_out(
                noun::SECOND_FACTOR,
                method.id,
                "only codes of an authenticator are known here: its user signs in without",
            );
            continue;
        };
        let digest = tokens::lookup_hash(&method.secret);
        let before = known.get(&method.user_id);
        if before.is_some_and(|origin| origin.digest.as_ref() == Some(&digest)) {
            count.unchanged += 1;
            continue;
        }
        let sealed = app.sealer().seal(&method.secret);
        let created_at = method.created_at.unwrap_or_else(|| Timestamp::now().0);
        imports::set_second_factor(taker.tx, user_id, &sealed, "[]", created_at).await?;
        let origin = Origin {
            source_id: method.user_id,
            row_id: user_id,
            other_id: None,
            digest: Some(digest),
        };
        imports::set_origin(taker.tx, import, noun::SECOND_FACTOR, &origin).await?;
        taker.report.note(
            noun::SECOND_FACTOR,
            method.id,
            "taken without its backup codes: its user makes new ones by setting it up anew",
        );
        if before.is_some() {
            count.updated += 1;
        } else {
            count.created += 1;
        }
    }
    taker.written += count.created + count.updated;
    taker.report.count(noun::SECOND_FACTOR, &count);
    Ok(())
}

/// Organisations, memberships, groups, invitations and keys.
pub(crate) async fn take_organisations(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let rows = from
        .organisations
        .iter()
        .map(|o| {
            let uuid = uuid(o.uuid.as_deref(), noun::ORGANISATION, o.id);
            Incoming::new(
                o.id,
                vec![
                    uuid.clone().into(),
                    o.name.as_str().into(),
                    o.created_date.unwrap_or_default().into(),
                    uuid.into(),
                    o.webhook_notification_email.as_deref().into(),
                    o.persist_trait_data.into(),
                    o.block_access_to_admin.into(),
                    o.restrict_project_create_to_admin.into(),
                    o.force_2fa.into(),
                    o.feature_analytics.into(),
                    o.stop_serving_flags.into(),
                ],
            )
        })
        .collect();
    taker
        .rows(noun::ORGANISATION, &tables::ORGANISATIONS, rows, How::default())
        .await?;
    take_members(taker, from).await?;
    take_groups(taker, from).await?;
    take_invites(taker, from).await?;
    take_master_api_keys(taker, from).await
}

async fn take_members(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let mut rows = Vec::new();
    for m in &from.memberships {
        let ends = taker
            .id(noun::ORGANISATION, m.organisation_id)
            .zip(taker.id(noun::USER, m.user_id));
        let Some(ends) = ends else { continue };
        let role = if m.role == "ADMIN" { "ADMIN" } else { "USER" };
        if role != m.role {
            let text = format!("the unknown role {:?} was taken as USER", m.role);
            taker.report.note(noun::MEMBER, m.id, text);
        }
        rows.push(IncomingLink {
            source: m.id,
            ends,
            cells: vec![role.into(), m.date_joined.unwrap_or_default().into()],
        });
    }
    taker.links(noun::MEMBER, &tables::MEMBERS, rows).await
}

async fn take_groups(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let rows = from
        .groups
        .iter()
        .filter_map(|g| {
            Some(Incoming::new(
                g.id,
                vec![
                    taker.id(noun::ORGANISATION, g.organisation_id)?.into(),
                    g.name.as_str().into(),
                    g.is_default.into(),
                    g.external_id.as_deref().into(),
                ],
            ))
        })
        .collect();
    taker
        .rows(noun::GROUP, &tables::GROUPS, rows, How::default())
        .await?;
    let rows = from
        .group_members
        .iter()
        .filter_map(|m| {
            Some(IncomingLink {
                source: m.id,
                ends: (
                    taker.id(noun::GROUP, m.userpermissiongroup_id)?,
                    taker.id(noun::USER, m.ffadminuser_id)?,
                ),
                cells: vec![m.group_admin.into()],
            })
        })
        .collect();
    taker
        .links(noun::GROUP_MEMBER, &tables::GROUP_MEMBERS, rows)
        .await
}

async fn take_invites(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    if let Some(invites) = &from.invites {
        let groups_of = |id: i64| -> Vec<i64> {
            from.invite_groups
                .iter()
                .filter(|link| link.invite_id == id)
                .filter_map(|link| taker.id(noun::GROUP, link.userpermissiongroup_id))
                .collect()
        };
        let rows = invites
            .iter()
            .filter_map(|i| {
                Some(Incoming::new(
                    i.id,
                    vec![
                        taker.id(noun::ORGANISATION, i.organisation_id)?.into(),
                        i.hash.as_str().into(),
                        i.email.to_lowercase().into(),
                        i.role.as_str().into(),
                        taker.id_if(noun::USER, i.invited_by_id).into(),
                        json!(groups_of(i.id)).to_string().into(),
                        i.date_created.unwrap_or_default().into(),
                    ],
                ))
            })
            .collect();
        taker
            .rows(noun::INVITE, &tables::INVITES, rows, How::default())
            .await?;
    }
    if let Some(links) = &from.invite_links {
        let rows = links
            .iter()
            .filter_map(|l| {
                Some(Incoming::new(
                    l.id,
                    vec![
                        taker.id(noun::ORGANISATION, l.organisation_id)?.into(),
                        l.hash.as_str().into(),
                        l.role.as_str().into(),
                        l.date_created.unwrap_or_default().into(),
                        l.expires_at.into(),
                    ],
                ))
            })
            .collect();
        taker
            .rows(noun::INVITE_LINK, &tables::INVITE_LINKS, rows, How::default())
            .await?;
    }
    Ok(())
}

/// Keys keep the hash they have; the first call with one replaces it by ours.
async fn take_master_api_keys(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let Some(all) = &from.master_api_keys else {
        return Ok(());
    };
    let mut rows = Vec::new();
    for key in all {
        let source = number_of(&key.id);
        if !django::is_known(&key.hashed_key) {
            taker
                .report
                .leave_out(noun::MASTER_API_KEY, source, "its hash is of an unknown kind");
            continue;
        }
        let Some(organisation_id) = taker.id(noun::ORGANISATION, key.organisation_id) else {
            continue;
        };
        let cells = vec![
            organisation_id.into(),
            key.prefix.as_str().into(),
            key.hashed_key.as_str().into(),
            key.name.as_str().into(),
            key.is_admin.into(),
            key.revoked.into(),
            taker.id_if(noun::USER, key.created_by_id).into(),
            key.created.unwrap_or_default().into(),
            key.expiry_date.into(),
        ];
        rows.push(Incoming {
            secret: Some(("hash", tokens::lookup_hash(&key.hashed_key))),
            ..Incoming::new(source, cells)
        });
    }
    rows.sort_by_key(|row| row.source);
    let how = How {
        keeps_ids: false,
        ..How::default()
    };
    taker
        .rows(noun::MASTER_API_KEY, &tables::MASTER_API_KEYS, rows, how)
        .await
}

/// A number for something that is named by a text.
pub(crate) fn number_of(text: &str) -> i64 {
    let digest = tokens::lookup_hash(text);
    i64::from_str_radix(&digest[..15], 16).unwrap_or_default()
}

/// What users and groups may do at organisations, projects and environments; to be taken when those are.
pub(crate) async fn take_grants(taker: &mut Taker<'_>, from: &Configuration) -> Result<()> {
    let kinds = [
        (noun::GRANTS[0], Level::Organisation, true),
        (noun::GRANTS[1], Level::Organisation, false),
        (noun::GRANTS[2], Level::Project, true),
        (noun::GRANTS[3], Level::Project, false),
        (noun::GRANTS[4], Level::Environment, true),
        (noun::GRANTS[5], Level::Environment, false),
    ];
    for (name, level, of_user) in kinds {
        let of_kind = from
            .grants
            .iter()
            .filter(|grant| grant.level == level && grant.user_id.is_some() == of_user);
        let mut rows = Vec::new();
        for grant in of_kind {
            rows.extend(grant_row(taker, name, grant));
        }
        let how = How {
            keeps_ids: false,
            ..How::default()
        };
        taker.rows(name, &tables::GRANTS, rows, how).await?;
    }
    Ok(())
}

fn grant_row(taker: &mut Taker<'_>, name: &str, grant: &Grant) -> Option<Incoming> {
    let (noun, is_key): (_, fn(&str) -> bool) = match grant.level {
        Level::Organisation => (noun::ORGANISATION, |key| {
            OrganisationPermission::from_key(key).is_some()
        }),
        Level::Project => (noun::PROJECT, |key| ProjectPermission::from_key(key).is_some()),
        Level::Environment => (noun::ENVIRONMENT, |key| {
            EnvironmentPermission::from_key(key).is_some()
        }),
    };
    let object = taker.id(noun, grant.object_id)?;
    let user = taker.id_if(noun::USER, grant.user_id);
    let group = taker.id_if(noun::GROUP, grant.group_id);
    if user.is_some() == group.is_some() {
        return None;
    }
    let (known, unknown): (BTreeSet<&String>, BTreeSet<&String>) =
        grant.permissions.iter().partition(|key| is_key(key));
    for key in unknown {
        taker
            .report
            .note(name, grant.id, format!("the permission {key} is not known here"));
    }
    let at = |level: Level| (grant.level == level).then_some(object);
    Some(Incoming::new(
        grant.id,
        vec![
            at(Level::Organisation).into(),
            at(Level::Project).into(),
            at(Level::Environment).into(),
            user.into(),
            group.into(),
            grant.admin.into(),
            json!(known).to_string().into(),
        ],
    ))
}
