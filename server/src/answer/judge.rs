//! What a request is, before anything is looked up for it.

use super::options::{Brought, ExtendedError};
use super::request::{CLASS_ANY, CLASS_CHAOS, CLASS_IN, OPCODE_QUERY, Question, Request};
use super::{Context, Options, Rcode};
use crate::snapshot::Directory;
use zone_model::RecordType;

/// What there is to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task<'t> {
    /// A question that zones can answer.
    Resolve(&'t Question),
    /// A text about this server (RFC 4892).
    Tell(&'t [u8]),
    /// No question: the client wants a cookie, or to know whether the one that it has is good (RFC 7873 §5.4).
    ExchangeCookies,
}

/// What is said instead of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) rcode: Rcode,
    pub(super) why: Option<ExtendedError>,
}

const fn fault(rcode: Rcode, why: Option<ExtendedError>) -> Fault {
    Fault { rcode, why }
}

/// What there is to do, or what is wrong.
pub(super) fn judge<'t>(directory: &Directory, request: &'t Request, context: &Context<'t>) -> Result<Task<'t>, Fault> {
    const FORMAT_ERROR: Fault = fault(Rcode::FORMAT_ERROR, None);
    const NOT_IMPLEMENTED: Fault = fault(Rcode::NOT_IMPLEMENTED, Some(ExtendedError::NOT_SUPPORTED));
    // NOTIFY, UPDATE and all else that is no query: not yet; and what we know is nothing for everybody to find out.
    if request.header.opcode != OPCODE_QUERY {
        let refused = fault(Rcode::REFUSED, Some(ExtendedError::PROHIBITED));
        return Err(if context.rights.may_diagnose() { NOT_IMPLEMENTED } else { refused });
    }
    if request.is_malformed {
        return Err(FORMAT_ERROR);
    }
    if request.edns.is_some_and(|edns| edns.version > 0) {
        return Err(fault(Rcode::BAD_VERSION, None));
    }
    if request.edns.is_some_and(|edns| edns.wishes.are_malformed(context)) {
        return Err(FORMAT_ERROR);
    }
    let Some(question) = &request.question else {
        let brings_cookie = request.edns.is_some_and(|edns| matches!(edns.wishes.cookie, Brought::Cookie(_)));
        let exchanges = brings_cookie && context.options.cookies.is_some();
        return if exchanges { Ok(Task::ExchangeCookies) } else { Err(FORMAT_ERROR) };
    };
    if context.rights.may_diagnose()
        && let Some(text) = text_at(question, context.options)
    {
        return Ok(Task::Tell(text));
    }
    if question.class != CLASS_IN && question.class != CLASS_ANY {
        return Err(fault(Rcode::REFUSED, Some(ExtendedError::NO_SUCH_CLASS)));
    }
    match question.rtype {
        // Transfers: not yet.
        RecordType::AXFR | RecordType::IXFR => {
            return Err(fault(Rcode::REFUSED, Some(ExtendedError::NO_TRANSFERS)));
        }
        // Obsolete (RFC 1035 §3.2.3), or an agreement on keys that we do not make (RFC 2930).
        RecordType::MAILA | RecordType::MAILB | RecordType::TKEY => return Err(NOT_IMPLEMENTED),
        // Parts of a message, and of a proof (NXNAME, RFC 9824 §3.4), but nothing that can be asked for.
        RecordType(0 | 128) | RecordType::OPT | RecordType::TSIG => return Err(FORMAT_ERROR),
        _ => {}
    }
    // A server that knows nothing does not know what is not its own either.
    if directory.is_loaded() {
        Ok(Task::Resolve(question))
    } else {
        Err(fault(Rcode::SERVER_FAILURE, Some(ExtendedError::NOT_READY)))
    }
}

/// The text that operators have this server tell in class CH; as Knot and NSD do, to who asks for the type TXT.
fn text_at<'t>(question: &Question, options: &'t Options) -> Option<&'t [u8]> {
    if question.class != CLASS_CHAOS || question.rtype != RecordType::TXT {
        return None;
    }
    let is = |name: &[u8]| question.name.as_wire().eq_ignore_ascii_case(name);
    let text = if is(b"\x02id\x06server\0") || is(b"\x08hostname\x04bind\0") {
        &options.chaos_id
    } else if is(b"\x07version\x06server\0") || is(b"\x07version\x04bind\0") {
        &options.chaos_version
    } else {
        return None;
    };
    text.as_deref().filter(|text| text.len() <= usize::from(u8::MAX))
}
