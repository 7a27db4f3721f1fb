//! Who acts: each of them reads, decides and writes at moments of its own, and may be stopped, cut off or killed between
//! any two of them.

mod api;
mod client;
mod enactor;
mod operator;
mod reader;
mod retirement;
mod server;

pub(crate) use api::Task;
pub(crate) use client::Client;
pub(crate) use enactor::Enactor;
pub(crate) use operator::Operator;
pub(crate) use reader::Reading;
pub(crate) use retirement::Retiring;
pub(crate) use server::{Building, Server};
