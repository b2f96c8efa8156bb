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
        self.drop_record(place, &record);
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
            access.log_refusal(Operation::Delete, None, None);
            return Err(access.denied(Operation::Delete));
        }
        let selection = self.select_now(entity, caller, filter)?;
        let mut doomed = Vec::new();
        for (record, _) in selection.all()? {
            if may_delete.matches(record)? {
                doomed.push(Arc::clone(record));
            }
        }
        drop(selection);
        for record in &doomed {
            self.drop_record(place, record);
        }
        Ok(doomed.len())
    }

    fn drop_record(&mut self, place: usize, record: &Arc<Record>) {
        let entity = &mut self.entities[place];
        entity.records.remove(record.id());
        let name = Arc::clone(&entity.name);
        self.note(Kind::Delete, &name, Some(Arc::clone(record)));
    }
}
