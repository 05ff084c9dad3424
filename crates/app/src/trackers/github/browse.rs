//! What an installation of the application can see: repositories, and what in them can be linked to features.

use burgee_store::github as rows;
use serde_json::Value;

use super::configurations::require_member;
use super::{Installation, is_name};
use crate::{App, Caller, Error, Result};

/// The most that GitHub lists at once.
pub const PAGE: i64 = 100;

/// Which page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub page: i64,
    pub size: i64,
}

impl Part {
    fn query(self) -> [(&'static str, String); 2] {
        [
            ("per_page", self.size.to_string()),
            ("page", self.page.to_string()),
        ]
    }
}

/// A repository at GitHub.
#[derive(Debug, Clone)]
pub struct At {
    pub owner: String,
    pub name: String,
}

impl At {
    fn check(&self) -> Result<()> {
        for (field, name) in [("repo_owner", &self.owner), ("repo_name", &self.name)] {
            if name.is_empty() {
                return Err(Error::field(field, "This field is required."));
            }
            if !is_name(name) {
                return Err(Error::field(
                    field,
                    "Enter a name as it stands in GitHub's addresses.",
                ));
            }
        }
        Ok(())
    }
}

/// Which issues or pull requests.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// `issue` or `pr`, as GitHub's search has them.
    pub kind: &'static str,
    pub text: Option<String>,
    pub in_body: bool,
    pub in_comments: bool,
    /// `open` or `closed`.
    pub state: Option<String>,
    pub author: Option<String>,
    pub assignee: Option<String>,
}

/// Something found, and how many there are.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub count: i64,
    pub items: Vec<Value>,
    /// GitHub gave up before it had looked at everything.
    pub is_incomplete: bool,
}

impl Found {
    fn of(answer: &mut Value, items: &str) -> Self {
        let items = match answer[items].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        Self {
            count: answer["total_count"].as_i64().unwrap_or(items.len() as i64),
            items,
            is_incomplete: answer["incomplete_results"] == true,
        }
    }
}

/// The installation of an organisation, for somebody in it.
async fn installation_for(app: &App, caller: &Caller, organisation_id: i64) -> Result<String> {
    let mut tx = app.db().read().await?;
    require_member(&mut tx, caller, organisation_id).await?;
    let found = rows::of_organisation(&mut tx, organisation_id).await?;
    found
        .map(|configuration| configuration.installation_id)
        .ok_or_else(|| Error::detail("This organisation has no GitHub integration."))
}

/// The repositories that an installation can see, for an administrator. Before the organisation has named its
/// installation he may ask for one; not for another organisation's.
pub async fn repositories(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    installation: Option<&str>,
    part: Part,
) -> Result<Found> {
    let mut tx = app.db().read().await?;
    caller
        .require_organisation_admin(&mut tx, organisation_id)
        .await?;
    let own = rows::of_organisation(&mut tx, organisation_id).await?;
    let installation = match (installation, own) {
        (Some(asked), _) => asked.to_owned(),
        (None, Some(own)) => own.installation_id,
        (None, None) => return Err(Error::field("installation_id", "This field is required.")),
    };
    if !is_name(&installation) {
        return Err(Error::field(
            "installation_id",
            "Enter the number of an installation.",
        ));
    }
    let taken = rows::of_installation(&mut tx, &installation).await?;
    if taken.is_some_and(|other| other.organisation_id != organisation_id) {
        return Err(Error::forbidden());
    }
    drop(tx);
    let installation = Installation::open(app, &installation).await?;
    let path = ["installation", "repositories"];
    let answer = installation.get(&path, &part.query()).await?;
    Ok(Found::of(&mut answer.json().unwrap_or_default(), "repositories"))
}

/// Issues or pull requests of a repository.
pub async fn search(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    at: &At,
    search: &Search,
    part: Part,
) -> Result<Found> {
    let installation = installation_for(app, caller, organisation_id).await?;
    at.check()?;
    let query = terms(at, search)?;
    let installation = Installation::open(app, &installation).await?;
    let mut pairs = vec![("q", query)];
    pairs.extend(part.query());
    let answer = installation.get(&["search", "issues"], &pairs).await?;
    Ok(Found::of(&mut answer.json().unwrap_or_default(), "items"))
}

/// What is asked for in the language of GitHub's search.
fn terms(at: &At, search: &Search) -> Result<String> {
    let mut terms = Vec::new();
    if let Some(text) = &search.text {
        // A colon would make a term of it, and leave the repository.
        terms.push(text.replace(':', " "));
        terms.push("in:title".to_owned());
        if search.in_body {
            terms.push("in:body".to_owned());
        }
        if search.in_comments {
            terms.push("in:comments".to_owned());
        }
    }
    terms.push(format!("repo:{}/{}", at.owner, at.name));
    terms.push(format!("is:{}", search.kind));
    let state = search.state.as_deref().unwrap_or("open");
    if !["open", "closed"].contains(&state) {
        return Err(Error::field(
            "state",
            format!("\"{state}\" is not a valid choice."),
        ));
    }
    terms.push(format!("is:{state}"));
    for (field, name) in [("author", &search.author), ("assignee", &search.assignee)] {
        if let Some(name) = name {
            if !is_name(name) {
                return Err(Error::field(field, "Enter the name of an account."));
            }
            terms.push(format!("{field}:{name}"));
        }
    }
    Ok(terms.join(" "))
}

/// Who has worked on a repository. GitHub does not say how many there are.
pub async fn contributors(
    app: &App,
    caller: &Caller,
    organisation_id: i64,
    at: &At,
    part: Part,
) -> Result<Found> {
    let installation = installation_for(app, caller, organisation_id).await?;
    at.check()?;
    let installation = Installation::open(app, &installation).await?;
    let path = ["repos", &at.owner, &at.name, "contributors"];
    let answer = installation.get(&path, &part.query()).await?;
    let is_last = !answer
        .header("link")
        .is_some_and(|links| links.contains("rel=\"next\""));
    let items = match answer.json() {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let known = (part.page - 1).saturating_mul(part.size) + items.len() as i64;
    Ok(Found {
        count: known + i64::from(!is_last),
        items,
        is_incomplete: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_stays_in_its_repository() {
        let at = At {
            owner: "acme".to_owned(),
            name: "web".to_owned(),
        };
        let search = Search {
            kind: "issue",
            text: Some("slow repo:other/web".to_owned()),
            in_body: true,
            author: Some("ann".to_owned()),
            ..Search::default()
        };
        let expected = "slow repo other/web in:title in:body repo:acme/web is:issue is:open author:ann";
        assert_eq!(terms(&at, &search).expect("terms"), expected);
        let odd = Search {
            author: Some("ann repo:other/web".to_owned()),
            ..search
        };
        assert!(terms(&at, &odd).is_err());
    }
}
