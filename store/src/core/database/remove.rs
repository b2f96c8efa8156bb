//! Deletions: of one record, and of all that match.

use std::sync::Arc;

use super::{Database, Target};
use crate::core::{
    caller::{Caller, Principal},
    change::Kind,
    fault::{Fault, Operation},
    filter::Filter,
    record::Record,
};

impl Database {
    /// Removes one record. Removing a user is passed over in silence.
    ///
    /// # Errors
    ///
    /// When there is no such record for the caller.
    pub fn delete(&mut self, entity: &str, caller: &Caller, id: &str) -> Result<(), Fault> {
        let Target::Records(place) = self.target(entity)? else {
            return Ok(());
        };
        let access = self.access(place, caller);
        let found = self.entities[place].records.get(id);
        let record = Arc::clone(access.require(Operation::Delete, id, found)?);
        self.drop_records(place, &[record]);
        Ok(())
    }

    /// Removes every record that matches and that the caller may read and delete; answers with their number.
    ///
    /// # Errors
    ///
    /// When the delete rule lets nobody delete anything.
    pub fn delete_where(
        &mut self,
        entity: &str,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<usize, Fault> {
        let Target::Records(place) = self.target(entity)? else {
            return match self.principal(caller) {
                Principal::Anonymous => Err(Fault::Unauthenticated("Unauthorized")),
                Principal::User { .. } | Principal::Service => Ok(0),
            };
        };
        let access = self.access(place, caller);
        let may_delete = access.filter(Operation::Delete);
        if access.forbids(Operation::Delete) {
            let refusal = access.refusal(Operation::Delete, None, None);
            return Err(access.denied(Operation::Delete).noting(refusal));
        }
        let selection = self.select_now(entity, caller, filter)?;
        let mut doomed = Vec::new();
        for (record, _) in selection.all()? {
            if may_delete.matches(record)? {
                doomed.push(Arc::clone(record));
            }
        }
        drop(selection);
        self.drop_records(place, &doomed);
        Ok(doomed.len())
    }

    /// Takes records out, newest first: an index that has many of them in one list is only ever cut at its end. They are
    /// told as they are given.
    fn drop_records(&mut self, place: usize, records: &[Arc<Record>]) {
        let entity = &mut self.entities[place];
        for record in records.iter().rev() {
            entity.records.remove(record.id());
        }
        let name = Arc::clone(&entity.name);
        for record in records {
            self.note(Kind::Delete, &name, Some(Arc::clone(record)));
        }
    }
}
