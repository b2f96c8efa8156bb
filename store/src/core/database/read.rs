//! Reads: a consistent selection is taken in no time, and can then be filtered, sorted and written out without holding
//! up anybody.

use std::sync::Arc;

use bytes::Bytes;

use super::{Access, Database, Target};
use crate::core::{
    access::Reader,
    aggregate::{Aggregate, Rows},
    caller::{Caller, Principal},
    collection::{Collection, Hint},
    fault::{Fault, Operation},
    filter::{Filter, Predicate},
    index::Postings,
    project::Projection,
    record::Record,
    sort::{Direction, Sort},
    timeline::Timeline,
    view::{Mask, View},
};

/// What one caller may read of one entity, as it was at one moment, less what a filter leaves out.
#[derive(Debug)]
pub struct Selection {
    gate: Filter,
    filter: Filter,
    reader: Reader,
    timeline: Arc<Timeline>,
    candidates: Option<Postings>,
}

/// The outcome of taking a selection.
#[derive(Debug)]
pub enum Taken {
    /// Here it is.
    Selection(Selection),
    /// It would have to look at every record, which an index on this field spares.
    WantsIndex(String),
}

/// A record that matches, with what its reader may not see of it.
type Match<'a> = (&'a Arc<Record>, Mask<'a>);

impl Database {
    /// The schema, the records and the read rule of an entity for a caller.
    pub(super) fn readable(
        &self,
        entity: &str,
        caller: &Caller,
    ) -> Result<(Access, &Collection, Filter), Fault> {
        match self.target(entity)? {
            Target::Records(place) => {
                let found = &self.entities[place];
                let scope = self.scope(caller, &found.name);
                let access = Access::new(Arc::clone(&found.schema), scope, Arc::clone(&found.name));
                let gate = access.filter(Operation::Read);
                Ok((access, &found.records, gate))
            }
            Target::Users => {
                let access = self.user_access(caller);
                let gate = user_gate(access.principal())?;
                Ok((access, self.users.records(), gate))
            }
        }
    }

    /// Takes a selection. It may need an index first: see [`Database::build_index`].
    ///
    /// # Errors
    ///
    /// For an unknown entity, and for visitors who ask for users.
    pub fn select(&self, entity: &str, caller: &Caller, filter: &Filter) -> Result<Taken, Fault> {
        let (access, records, gate) = self.readable(entity, caller)?;
        let reader = access.reader();
        let hints = hints(&gate, filter, &reader);
        let candidates = records.candidates(&hints);
        if let Some(field) = records.wanted_index(&hints, candidates.as_ref()) {
            return Ok(Taken::WantsIndex(field.to_owned()));
        }
        let candidates = candidates.map(|candidates| candidates.into_ascending());
        let filter = filter.clone();
        Ok(Taken::Selection(Selection {
            gate,
            filter,
            reader,
            timeline: records.snapshot(),
            candidates,
        }))
    }

    /// Indexes a field of an entity.
    pub fn build_index(&mut self, entity: &str, field: &str) {
        match self.target(entity) {
            Ok(Target::Records(place)) => self.entities[place].records.build_index(field),
            Ok(Target::Users) => self.users.records_mut().build_index(field),
            Err(_) => {}
        }
    }

    /// As [`Database::select`], with the index that the filter wants.
    ///
    /// # Errors
    ///
    /// As [`Database::select`].
    pub fn select_now(
        &mut self,
        entity: &str,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<Selection, Fault> {
        loop {
            match self.select(entity, caller, filter)? {
                Taken::Selection(selection) => return Ok(selection),
                Taken::WantsIndex(field) => self.build_index(entity, &field),
            }
        }
    }

    /// One record as the caller may see it.
    ///
    /// # Errors
    ///
    /// [`Fault::NoSuchRecord`] for what is missing as for what is hidden.
    pub fn get(&self, entity: &str, caller: &Caller, id: &str) -> Result<Bytes, Fault> {
        if let Target::Users = self.target(entity)? {
            return self.get_user(caller, id);
        }
        let (access, records, gate) = self.readable(entity, caller)?;
        let record = records.get(id).ok_or_else(|| access.no_such_record(id))?;
        if !gate.matches(record)? {
            let refusal = access.refusal(Operation::Read, Some(id), Some(record.into()));
            return Err(access.no_such_record(id).noting(refusal));
        }
        Ok(Presenter::new(access.reader()).json(record))
    }
}

/// Which users a caller may read: managers all, users themselves.
fn user_gate(principal: &Principal) -> Result<Filter, Fault> {
    if principal.manages_users() {
        return Ok(Filter::all());
    }
    let user = principal.user();
    let id = user.map(|user| user.id().to_string());
    let id = id.ok_or(Fault::Unauthenticated(
        "Authentication required to list users",
    ))?;
    Ok(Filter::field("id", Predicate::equal(id.into())))
}

/// Equalities of the rule, and of the filter as far as its fields are surely visible.
fn hints<'a>(gate: &'a Filter, filter: &'a Filter, reader: &Reader) -> Vec<Hint<'a>> {
    let visible = filter.equality_hints().into_iter();
    let visible = visible.filter(|(field, _)| !reader.may_miss(field));
    visible.chain(gate.equality_hints()).collect()
}

impl Selection {
    /// About how many records have to be looked at for a page that ends at the `end`-th record.
    #[must_use]
    pub fn cost(&self, sort: &Sort, end: usize) -> usize {
        let all = match &self.candidates {
            Some(candidates) => candidates.as_slice().len(),
            None => self.timeline.len(),
        };
        let open = self.gate.is_everything() && self.filter.is_everything();
        match open && sort.creation_order().is_some() {
            true => all.min(end),
            false => all,
        }
    }

    /// How to write out its records.
    #[must_use]
    pub fn presenter(&self, projection: Projection) -> Presenter {
        Presenter {
            reader: self.reader.clone(),
            projection,
        }
    }

    /// Some of its records in an order. In the order of creation it stops as soon as it has them.
    ///
    /// # Errors
    ///
    /// When a pattern exceeds its step limit.
    pub fn page(&self, sort: &Sort, skip: usize, limit: usize) -> Result<Vec<Arc<Record>>, Fault> {
        if let Some(direction) = sort.creation_order() {
            let found = self.matching(self.walk(direction));
            let page = found.skip(skip).take(limit);
            return page.map(|found| Ok(Arc::clone(found?.0))).collect();
        }
        let rows = self.all()?;
        let rows = rows
            .iter()
            .map(|(record, mask)| (View::masked(*record, mask), record.seq(), *record));
        let page = sort.select(rows, skip, limit);
        Ok(page.into_iter().cloned().collect())
    }

    /// How many records it has.
    ///
    /// # Errors
    ///
    /// As [`Selection::page`].
    pub fn count(&self) -> Result<usize, Fault> {
        let open = self.gate.is_everything() && self.filter.is_everything();
        if open && self.candidates.is_none() {
            return Ok(self.timeline.len());
        }
        let found = self.matching(self.walk(Direction::Ascending));
        found
            .map(|found| found.map(drop))
            .try_fold(0, |count, found| found.map(|()| count + 1))
    }

    /// Groups and totals over its records.
    ///
    /// # Errors
    ///
    /// As [`Selection::page`].
    pub fn aggregate(&self, aggregate: &Aggregate) -> Result<Rows, Fault> {
        let rows = self.all()?;
        let views = rows
            .iter()
            .map(|(record, mask)| View::masked(*record, mask));
        Ok(aggregate.run(views)?)
    }

    /// All its records, oldest first.
    pub(super) fn all(&self) -> Result<Vec<Match<'_>>, Fault> {
        self.matching(self.walk(Direction::Ascending)).collect()
    }

    /// Those of `rows` that the caller may read and that the filter lets through.
    pub(super) fn matching<'a>(
        &'a self,
        rows: impl Iterator<Item = &'a Arc<Record>> + 'a,
    ) -> impl Iterator<Item = Result<Match<'a>, Fault>> + 'a {
        rows.filter_map(|record| self.match_one(record).transpose())
    }

    fn match_one<'a>(&'a self, record: &'a Arc<Record>) -> Result<Option<Match<'a>>, Fault> {
        if !self.gate.matches(record)? {
            return Ok(None);
        }
        let mask = self.reader.mask(record);
        let matches = self.filter.matches(View::masked(record, &mask))?;
        Ok(matches.then_some((record, mask)))
    }

    /// Candidates in the order of creation.
    pub(super) fn walk(&self, direction: Direction) -> Box<dyn Iterator<Item = &Arc<Record>> + '_> {
        match (&self.candidates, direction) {
            (None, Direction::Ascending) => Box::new(self.timeline.iter()),
            (None, Direction::Descending) => Box::new(self.timeline.iter().rev()),
            (Some(candidates), Direction::Ascending) => {
                let seqs = candidates.as_slice().iter();
                Box::new(seqs.filter_map(|seq| self.timeline.get(*seq)))
            }
            (Some(candidates), Direction::Descending) => {
                let seqs = candidates.as_slice().iter().rev();
                Box::new(seqs.filter_map(|seq| self.timeline.get(*seq)))
            }
        }
    }

    /// Candidates in the order of creation that lie behind the record with this sequence.
    pub(super) fn walk_from(
        &self,
        direction: Direction,
        seq: u64,
    ) -> Box<dyn Iterator<Item = &Arc<Record>> + '_> {
        let Some(candidates) = &self.candidates else {
            return match direction {
                Direction::Ascending => Box::new(self.timeline.after(seq)),
                Direction::Descending => Box::new(self.timeline.before(seq)),
            };
        };
        let seqs = candidates.as_slice();
        let find = |seq: &u64| self.timeline.get(*seq);
        match direction {
            Direction::Ascending => {
                let behind = &seqs[seqs.partition_point(|other| *other <= seq)..];
                Box::new(behind.iter().filter_map(find))
            }
            Direction::Descending => {
                let behind = &seqs[..seqs.partition_point(|other| *other < seq)];
                Box::new(behind.iter().rev().filter_map(find))
            }
        }
    }
}

/// Records with the way in which their reader sees them.
#[derive(Debug)]
pub struct Stored {
    /// In the order of the answer.
    pub records: Vec<Arc<Record>>,
    /// How to write them out.
    pub presenter: Presenter,
}

impl Stored {
    /// The records as JSON, each made when it is asked for.
    pub fn into_json(self) -> impl Iterator<Item = Bytes> {
        let Self { records, presenter } = self;
        records
            .into_iter()
            .map(move |record| presenter.json(&record))
    }
}

/// Writes records as one caller may see them.
#[derive(Debug)]
pub struct Presenter {
    reader: Reader,
    projection: Projection,
}

impl Presenter {
    /// Shows every field that the reader sees.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            projection: Projection::default(),
        }
    }

    /// The record as JSON; its stored text when nothing is left out.
    #[must_use]
    pub fn json(&self, record: &Arc<Record>) -> Bytes {
        let mask = self.reader.mask(record);
        match mask.is_empty() && self.projection.is_everything() {
            true => record.to_bytes(),
            false => self.projection.json(record, &mask),
        }
    }
}
