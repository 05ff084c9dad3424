//! A run from its beginning, or from where one was cut off, to its end.

use std::collections::HashSet;
use std::time::Instant;

use burgee_app::App;
use burgee_app::change::{Action, Change, Kind};
use burgee_model::Timestamp;
use burgee_store::bulk::{Cell, tables};
use burgee_store::changes::NewChange;
use burgee_store::flagsmith::Flagsmith;
use burgee_store::imports::{self, Import};

use crate::api::Api;
use crate::check::{self, Sample};
use crate::configuration::Configuration;
use crate::flags::{maps_of, take_projects};
use crate::identities::{self, IncomingIdentity, Maps, OverridePage, Page};
use crate::people::{take_grants, take_organisations, take_users};
use crate::records::Organisation;
use crate::taking::Taker;
use crate::{
    Error, Progress, Report, Result, Source, accounts, audit, database, integrations, metadata, noun,
    release_pipelines, surroundings,
};

/// What is wanted of an import.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of what is imported: a second import of the same goes on with it.
    pub source: String,
    /// Nothing is written.
    pub dry_run: bool,
    /// The audit log is taken too.
    pub audit: bool,
    /// Identities, or overrides, that are stored together.
    pub page: i64,
    /// Identities whose flags are compared at the end.
    pub sample: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            source: "flagsmith".to_owned(),
            dry_run: false,
            audit: false,
            page: 5000,
            sample: 500,
        }
    }
}

/// Takes everything over, and compares.
pub async fn run(app: &App, source: &Source, options: &Options, progress: &dyn Progress) -> Result<Report> {
    let started = Instant::now();
    let mut report = Report {
        source: options.source.clone(),
        dry_run: options.dry_run,
        ..Report::default()
    };
    progress.begin("Reading the configuration", None);
    let mut from = match source {
        Source::Database(flagsmith) => database::read(flagsmith, &mut report).await?,
        Source::Api(api) => api.read(&mut report, progress).await?,
    };
    if options.audit {
        from.not_taken.retain(|name, _| !name.contains("audit log"));
    }
    report.no_place = std::mem::take(&mut from.not_taken);
    progress.begin("Writing the configuration", None);
    let (import, maps) = take_configuration(app, &from, options, &mut report).await?;
    let sample = take_identities(app, source, &from, &import, &maps, options, &mut report, progress).await?;
    if options.dry_run {
        report.seconds = started.elapsed().as_secs_f64();
        return Ok(report);
    }
    if let (true, Source::Database(flagsmith)) = (options.audit, source) {
        progress.begin("Audit log", None);
        audit::take(app, flagsmith, &from, &import, &maps, &mut report, progress).await?;
    }
    progress.begin("Comparing", None);
    let mut tx = app.begin().await?;
    imports::finish(&mut tx, import.id, Timestamp::now().0).await?;
    // With this the node itself has seen all that was written.
    app.commit(tx, Vec::new()).await?;
    check::flags(app, &from, &sample, &maps, &mut report).await?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Everything but identities, in one transaction.
async fn take_configuration(
    app: &App,
    from: &Configuration,
    options: &Options,
    report: &mut Report,
) -> Result<(Import, Maps)> {
    let mut tx = app.begin().await?;
    let now = Timestamp::now().0;
    let import = if let Some(import) = imports::find(&mut tx, &options.source).await? {
        check_same_source(&mut tx, &import, &from.organisations).await?;
        if import.finished_at.is_some() {
            imports::restart(&mut tx, import.id, now).await?;
        } else {
            report.resumed = import.identities_done != 0;
        }
        import
    } else {
        let keeps_ids = imports::is_empty(&mut tx).await?;
        let id = imports::insert(&mut tx, &options.source, keeps_ids, now).await?;
        Import {
            id,
            source: options.source.clone(),
            keeps_ids,
            started_at: now,
            finished_at: None,
            identities_done: 0,
            overrides_done: 0,
        }
    };
    let import = match import.finished_at {
        Some(_) => Import {
            identities_done: 0,
            overrides_done: 0,
            finished_at: None,
            ..import
        },
        None => import,
    };
    report.ids_kept = import.keeps_ids;
    let mut taker = Taker::new(&mut tx, &import, report);
    take_users(&mut taker, app, from).await?;
    accounts::take(&mut taker, from).await?;
    take_organisations(&mut taker, from).await?;
    take_projects(&mut taker, from).await?;
    take_grants(&mut taker, from).await?;
    metadata::take(&mut taker, from).await?;
    release_pipelines::take(&mut taker, from).await?;
    surroundings::take(&mut taker, from).await?;
    integrations::take(&mut taker, app, from).await?;
    if import.keeps_ids {
        for (table, last) in &from.last_ids {
            table.move_on(taker.tx, *last).await?;
        }
    }
    check_counts(&mut taker).await?;
    let maps = maps_of(&taker);
    let log = log_of(&taker, from);
    if options.dry_run {
        drop(tx);
    } else {
        app.commit_taken_over(tx, log).await?;
    }
    Ok((import, maps))
}

/// One line for each organisation, if anything was written: all its environments are built anew.
fn log_of(taker: &Taker<'_>, from: &Configuration) -> Vec<NewChange> {
    if taker.written == 0 {
        return Vec::new();
    }
    from.organisations
        .iter()
        .filter_map(|organisation| taker.id(noun::ORGANISATION, organisation.id))
        .map(|id| {
            Change::by_nobody(Kind::Organisation, Action::Update, id)
                .in_organisation(id)
                .says("Imported from Flagsmith")
                .serves()
                .into()
        })
        .collect()
}

/// Fails if what was imported under this name has other organisations under the same ids.
async fn check_same_source(
    tx: &mut burgee_store::Tx,
    import: &Import,
    coming: &[Organisation],
) -> Result<()> {
    let known = imports::origins(tx, import.id, noun::ORGANISATION, i64::MIN, i64::MAX).await?;
    let ids: Vec<i64> = known.iter().map(|origin| origin.row_id).collect();
    let present = tables::ORGANISATIONS.read(tx, &ids).await?;
    let (mut same, mut other) = (0, 0);
    for origin in &known {
        let there = coming.iter().find(|o| o.id == origin.source_id);
        let uuid = there.and_then(|o| o.uuid.clone());
        if let (Some(uuid), Some(cells)) = (uuid, present.get(&origin.row_id)) {
            if cells[0] == Cell::from(uuid) {
                same += 1;
            } else {
                other += 1;
            }
        }
    }
    if other > 0 && same == 0 {
        return Err(Error::OtherSource(import.source.clone()));
    }
    Ok(())
}

/// Every row that was taken must be there, and every row that was found must have been taken or be accounted for.
async fn check_counts(taker: &mut Taker<'_>) -> Result<()> {
    let tables = [
        (noun::USER, &tables::USERS),
        (noun::ORGANISATION, &tables::ORGANISATIONS),
        (noun::GROUP, &tables::GROUPS),
        (noun::INVITE, &tables::INVITES),
        (noun::INVITE_LINK, &tables::INVITE_LINKS),
        (noun::MASTER_API_KEY, &tables::MASTER_API_KEYS),
        (noun::PROJECT, &tables::PROJECTS),
        (noun::ENVIRONMENT, &tables::ENVIRONMENTS),
        (noun::SERVER_KEY, &tables::SERVER_KEYS),
        (noun::TAG, &tables::TAGS),
        (noun::FEATURE, &tables::FEATURES),
        (noun::OPTION, &tables::OPTIONS),
        (noun::SEGMENT, &tables::SEGMENTS),
        (noun::FEATURE_SEGMENT, &tables::FEATURE_SEGMENTS),
        (noun::FEATURE_STATE, &tables::FEATURE_STATES),
        (noun::STATE_OPTION, &tables::STATE_OPTIONS),
        (noun::FEATURE_VERSION, &tables::FEATURE_VERSIONS),
        (noun::SCHEDULED_CHANGE, &tables::SCHEDULED_CHANGES),
        (noun::CHANGE_REQUEST, &tables::CHANGE_REQUESTS),
        (noun::CHANGE_REQUEST_PART, &tables::CHANGE_REQUEST_PARTS),
        (noun::APPROVAL, &tables::CHANGE_REQUEST_APPROVALS),
        (noun::GROUP_ASSIGNMENT, &tables::CHANGE_REQUEST_GROUPS),
        (noun::WEBHOOK, &tables::WEBHOOKS),
        (noun::ORGANISATION_WEBHOOK, &tables::WEBHOOKS),
        (noun::INTEGRATION, &tables::INTEGRATIONS),
        (noun::PIPELINE, &tables::RELEASE_PIPELINES),
        (noun::PIPELINE_STAGE, &tables::PIPELINE_STAGES),
        (noun::PIPELINE_ACTION, &tables::PIPELINE_ACTIONS),
        (noun::HEALTH_PROVIDER, &tables::HEALTH_PROVIDERS),
        (noun::HEALTH_EVENT, &tables::HEALTH_EVENTS),
        (noun::CODE_REPOSITORY, &tables::CODE_REPOSITORIES),
        (noun::CODE_REFERENCE, &tables::CODE_REFERENCES),
        (noun::EXTERNAL_RESOURCE, &tables::EXTERNAL_RESOURCES),
        (noun::TRUST_RELATIONSHIP, &tables::TRUST_RELATIONSHIPS),
    ];
    for (noun, table) in tables {
        let ids: HashSet<i64> = taker
            .ids
            .get(noun)
            .map(|ids| ids.values().copied().collect())
            .unwrap_or_default();
        let wanted: Vec<i64> = ids.into_iter().collect();
        let present = table.taken(taker.tx, &wanted).await?.len();
        if present != wanted.len() {
            let text = format!("{noun}: {} were taken, {present} are there", wanted.len());
            taker.report.checks.wrong_counts.push(text);
        }
    }
    for (noun, count) in &taker.report.counts {
        if !count.adds_up() {
            let text = format!("{noun}: {count:?} does not add up");
            taker.report.checks.wrong_counts.push(text);
        }
    }
    Ok(())
}

/// Identities and their overrides; returns those that are compared at the end.
#[expect(clippy::too_many_arguments, reason = "all that a run is made of")]
async fn take_identities(
    app: &App,
    source: &Source,
    from: &Configuration,
    import: &Import,
    maps: &Maps,
    options: &Options,
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<Sample> {
    let environments: Vec<i64> = maps
        .get(noun::ENVIRONMENT)
        .map(|ids| ids.values().copied().collect())
        .unwrap_or_default();
    let mut run = Run {
        app,
        import,
        maps,
        environments,
        options,
        is_first: is_first(app, import).await?,
        picked: Picked::new(options.sample),
    };
    match source {
        Source::Database(flagsmith) => run.take_from_database(flagsmith, report, progress).await,
        Source::Api(api) => run.take_from_api(api, from, report, progress).await,
    }
}

/// Whether no identity was here when the run began.
async fn is_first(app: &App, import: &Import) -> Result<bool> {
    let mut tx = app.db().read().await?;
    Ok(import.identities_done == 0 && tables::IDENTITIES.is_empty(&mut tx).await?)
}

/// What storing identities needs to know.
struct Run<'a> {
    app: &'a App,
    import: &'a Import,
    maps: &'a Maps,
    /// Those that were taken, by their ids here.
    environments: Vec<i64>,
    options: &'a Options,
    is_first: bool,
    picked: Picked,
}

impl Run<'_> {
    async fn take_from_database(
        &mut self,
        flagsmith: &Flagsmith,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<Sample> {
        let last = flagsmith
            .last_id("environments_identity")
            .await
            .map_err(Error::Source)?;
        let total = flagsmith
            .count_identities(i64::MAX)
            .await
            .map_err(Error::Source)?;
        if self.import.keeps_ids && !self.options.dry_run {
            let mut tx = self.app.db().begin().await?;
            tables::IDENTITIES.move_on(&mut tx, last).await?;
            tx.commit().await?;
        }
        progress.begin("Identities", u64::try_from(total).ok());
        let started = Instant::now();
        let mut after = self.import.identities_done.max(0);
        let mut done = 0;
        while let Some(page) =
            identities::read_page(flagsmith, self.maps, after, self.options.page, report).await?
        {
            after = page.range.map_or(after, |(_, last)| last);
            self.store(&page, report).await?;
            done += page.identities.len() as u64;
            progress.at(done);
        }
        report.identities_per_second = done as f64 / started.elapsed().as_secs_f64().max(1e-6);
        if !self.options.dry_run {
            self.end_identities(after).await?;
            self.compare_number(flagsmith, last, report).await?;
        }
        let mut sample = self.picked.sample(self.maps);
        self.overrides_from_database(flagsmith, &mut sample, report, progress)
            .await?;
        Ok(sample)
    }

    async fn store(&mut self, page: &Page, report: &mut Report) -> Result<()> {
        let kept = if self.options.dry_run {
            None
        } else {
            identities::kept(self.app, page, report)
        };
        let page = kept.as_ref().unwrap_or(page);
        if self.options.dry_run {
            let count = crate::report::Count {
                found: page.identities.len() as u64,
                created: page.identities.len() as u64,
                ..Default::default()
            };
            report.count(noun::IDENTITY, &count);
        } else {
            identities::store_page(
                self.app,
                self.import,
                &self.environments,
                page,
                self.is_first,
                report,
            )
            .await?;
        }
        self.picked.see(&page.identities);
        Ok(())
    }

    /// What came from ids beyond the last one is gone.
    async fn end_identities(&self, after: i64) -> Result<()> {
        let mut tx = self.app.db().begin().await?;
        for gone in imports::identities_from(&mut tx, &self.environments, after, i64::MAX).await? {
            tables::IDENTITIES.delete(&mut tx, gone.id).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn compare_number(&self, flagsmith: &Flagsmith, last: i64, report: &mut Report) -> Result<()> {
        let there = flagsmith.count_identities(last).await.map_err(Error::Source)?;
        let mut tx = self.app.db().read().await?;
        let here = imports::count_identities(&mut tx, &self.environments, last).await?;
        if here != there {
            let text = format!("identities: {there} there, {here} here (it may have changed meanwhile)");
            report.checks.wrong_counts.push(text);
        }
        Ok(())
    }

    async fn overrides_from_database(
        &mut self,
        flagsmith: &Flagsmith,
        sample: &mut Sample,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<()> {
        progress.begin("Identity overrides", None);
        let mut after = self.import.overrides_done;
        let mut done = 0;
        let mut with_overrides = HashSet::new();
        while let Some(page) = identities::read_overrides(flagsmith, after, self.options.page).await? {
            after = page.range.1;
            if self.options.dry_run {
                let count = crate::report::Count {
                    found: page.states.len() as u64,
                    created: page.states.len() as u64,
                    ..Default::default()
                };
                report.count(noun::IDENTITY_OVERRIDE, &count);
            } else {
                identities::store_overrides(self.app, self.import, self.maps, &page, report).await?;
            }
            let few = self.options.sample / 2;
            let named = page.states.iter().filter_map(|state| state.identity_id);
            with_overrides.extend(named.take(few.saturating_sub(with_overrides.len())));
            done += page.states.len() as u64;
            progress.at(done);
        }
        if self.options.dry_run {
            return Ok(());
        }
        identities::remove_overrides_after(self.app, self.import, self.maps, after, report).await?;
        self.complete(flagsmith, sample, &with_overrides, report).await
    }

    /// Adds identities that have overrides to the sample, and the overrides of all of it.
    async fn complete(
        &self,
        flagsmith: &Flagsmith,
        sample: &mut Sample,
        with_overrides: &HashSet<i64>,
        report: &mut Report,
    ) -> Result<()> {
        let known: HashSet<i64> = sample.identities.iter().map(|(i, _)| i.source).collect();
        let wanted: Vec<i64> = with_overrides.difference(&known).copied().collect();
        let mut traits = std::collections::HashMap::<i64, Vec<_>>::new();
        for one in flagsmith.traits(&wanted).await.map_err(Error::Source)? {
            traits.entry(one.identity_id).or_default().push(one);
        }
        for row in flagsmith.identities_by_id(&wanted).await.map_err(Error::Source)? {
            let environment = self
                .maps
                .get(noun::ENVIRONMENT)
                .and_then(|ids| ids.get(&row.environment_id));
            let Some(&environment) = environment else { continue };
            let set = identities::trait_set(&row, traits.remove(&row.id).unwrap_or_default(), report);
            let identity = IncomingIdentity {
                source: row.id,
                environment,
                identifier: row.identifier.clone(),
                traits: set.to_text(),
                created_at: 0,
            };
            sample.identities.push((identity, row.environment_id));
        }
        let ids: Vec<i64> = sample.identities.iter().map(|(i, _)| i.source).collect();
        let texts = flagsmith.overrides_of(&ids).await.map_err(Error::Source)?;
        sample.overrides = database::parse("features_featurestate", &texts)?;
        let states: Vec<i64> = sample.overrides.iter().map(|state| state.id).collect();
        let texts = flagsmith.weights_of(&states).await.map_err(Error::Source)?;
        sample.weights = database::parse("multivariate_multivariatefeaturestatevalue", &texts)?;
        Ok(())
    }
}

/// Some of all identities, chosen evenly while they pass by: every so many, ever fewer.
struct Picked {
    most: usize,
    step: usize,
    seen: usize,
    chosen: Vec<(usize, IncomingIdentity)>,
}

impl Picked {
    fn new(most: usize) -> Self {
        Self {
            most,
            step: 1,
            seen: 0,
            chosen: Vec::new(),
        }
    }

    fn see(&mut self, page: &[IncomingIdentity]) {
        for identity in page {
            if self.most > 0 && self.seen.is_multiple_of(self.step) {
                self.chosen.push((self.seen, identity.clone()));
            }
            self.seen += 1;
            if self.chosen.len() > 2 * self.most {
                self.step *= 2;
                let step = self.step;
                self.chosen.retain(|(at, _)| at.is_multiple_of(step));
            }
        }
    }

    fn sample(&mut self, maps: &Maps) -> Sample {
        let there: std::collections::HashMap<i64, i64> = maps
            .get(noun::ENVIRONMENT)
            .into_iter()
            .flatten()
            .map(|(there, here)| (*here, *there))
            .collect();
        let identities = std::mem::take(&mut self.chosen)
            .into_iter()
            .filter_map(|(_, identity)| {
                let environment = *there.get(&identity.environment)?;
                Some((identity, environment))
            });
        Sample {
            identities: identities.collect(),
            ..Sample::default()
        }
    }
}

/// More than the pages of identities that any environment has.
const PAGES: i64 = 1_000_000;

/// The page of an environment's identities that a run through the API begins with; `None`: it is through with them.
///
/// Its mark is negative, for the environment and the page it stored last; those of runs from a database are not.
fn first_page(mark: i64, environment: i64) -> Option<u32> {
    let (last, page) = if mark < 0 {
        (-mark / PAGES, -mark % PAGES)
    } else {
        (0, 1)
    };
    match environment.cmp(&last) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => u32::try_from(page).ok(),
        std::cmp::Ordering::Greater => Some(1),
    }
}

impl Run<'_> {
    /// Through the API nothing tells what is gone. A run that was cut off goes on with the page it was at: there may be
    /// less before it by now.
    async fn take_from_api(
        &mut self,
        api: &Api,
        from: &Configuration,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<Sample> {
        progress.begin("Identities", None);
        let started = Instant::now();
        let mut done = 0;
        for environment in &from.environments {
            let here = self
                .maps
                .get(noun::ENVIRONMENT)
                .and_then(|ids| ids.get(&environment.id));
            let Some(&here) = here else { continue };
            let Some(mut number) = first_page(self.import.identities_done, environment.id) else {
                continue;
            };
            while let Some(found) = api.identities(environment, number).await? {
                let identities: Vec<IncomingIdentity> = found
                    .into_iter()
                    .map(|identity| IncomingIdentity {
                        source: identity.id,
                        environment: here,
                        identifier: identity.identifier,
                        traits: identity.traits.to_text(),
                        created_at: identity.created_at,
                    })
                    .collect();
                done += identities.len() as u64;
                let last = identities.iter().map(|identity| identity.source).max();
                if let (true, false, Some(last)) = (self.import.keeps_ids, self.options.dry_run, last) {
                    let mut tx = self.app.db().begin().await?;
                    tables::IDENTITIES.move_on(&mut tx, last).await?;
                    tx.commit().await?;
                }
                let page = Page {
                    identities,
                    range: None,
                    mark: -(environment.id * PAGES + i64::from(number)),
                };
                self.store(&page, report).await?;
                progress.at(done);
                number += 1;
            }
        }
        report.identities_per_second = done as f64 / started.elapsed().as_secs_f64().max(1e-6);
        self.overrides_from_api(api, from, report, progress).await
    }

    async fn overrides_from_api(
        &mut self,
        api: &Api,
        from: &Configuration,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<Sample> {
        progress.begin("Identity overrides", None);
        let mut all = OverridePage {
            range: (0, i64::MAX),
            ..OverridePage::default()
        };
        for environment in &from.environments {
            let (states, weights, identifiers) = api.overrides(environment).await?;
            let named = identifiers
                .into_iter()
                .map(|(id, identifier)| (id, (environment.id, identifier)));
            all.identities.extend(named);
            all.states.extend(states);
            all.weights.extend(weights);
        }
        all.states.sort_by_key(|state| state.id);
        let mut sample = self.picked.sample(self.maps);
        if self.options.dry_run {
            let count = crate::report::Count {
                found: all.states.len() as u64,
                created: all.states.len() as u64,
                ..Default::default()
            };
            report.count(noun::IDENTITY_OVERRIDE, &count);
            return Ok(sample);
        }
        identities::store_overrides(self.app, self.import, self.maps, &all, report).await?;
        sample.overrides = all.states;
        sample.weights = all.weights;
        Ok(sample)
    }
}
