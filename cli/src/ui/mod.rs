//! The terminal: what a person or a program reads of `backlot dev`.
//!
//! In text, standard output holds only what scripts wait for (the address, verification codes) and standard error the
//! rest. As JSON, everything is an object on standard output, and every line is printed however often it comes.

mod code_box;
mod columns;
mod counted;
mod entry;
mod problem;
mod repeats;
mod start_block;
mod table;
mod terminal;

pub(crate) use self::{
    code_box::CodeBox,
    columns::columns,
    counted::counted,
    entry::{Entry, LABEL, Level},
    problem::Problem,
    start_block::StartBlock,
    table::Table,
    terminal::Terminal,
};
