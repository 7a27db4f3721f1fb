//! Questions in, text out. Replies are read by the `domain` library, which knows nothing of ours.

use domain::base::opt::UnknownOptData;
use domain::base::{Message, ParsedName, Record};
use domain::rdata::AllRecordData;
use server::answer::GENERATION_OPTION;
use std::fmt::Write;
use zone_model::{Generation, Id, Name, RecordType, Version};

/// The option that asks which generation an answer is made from.
pub const ASKS_FOR_GENERATION: [u8; 4] = [0xfe, 0x12, 0, 0];

/// A question and how it is asked.
#[derive(Clone, Debug)]
pub struct Question {
    pub name: Name,
    pub rtype: RecordType,
    pub class: u16,
    pub opcode: u8,
    pub rd: bool,
    pub cd: bool,
    pub tcp: bool,
    /// The size in the OPT record; none without one.
    pub size: Option<u16>,
    pub version: u8,
    pub dnssec_ok: bool,
    /// Options in the OPT record, in wire form.
    pub options: Vec<u8>,
}

impl Question {
    pub fn new(name: &Name, rtype: RecordType) -> Self {
        Self {
            name: name.clone(),
            rtype,
            class: 1,
            opcode: 0,
            rd: false,
            cd: false,
            tcp: false,
            size: None,
            version: 0,
            dnssec_ok: false,
            options: Vec::new(),
        }
    }

    /// Reads `NAME TYPE [tcp] [rd] [cd] [edns] [size=N] [do] [generation] [version=N] [class=N] [opcode=N] [options=HEX]`.
    pub fn parse(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let (name, rtype) = (words.next().unwrap(), words.next().unwrap());
        let mut question = Self::new(&super::name_of(name), rtype.parse().unwrap());
        for word in words {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            let size = question.size;
            match key {
                "tcp" => question.tcp = true,
                "rd" => question.rd = true,
                "cd" => question.cd = true,
                "edns" => question.size = size.or(Some(1232)),
                "size" => question.size = Some(value.parse().unwrap()),
                "do" => (question.dnssec_ok, question.size) = (true, size.or(Some(1232))),
                "version" => (question.version, question.size) = (value.parse().unwrap(), size.or(Some(1232))),
                "options" => (question.options, question.size) = (from_hex(value), size.or(Some(1232))),
                "generation" => {
                    question.options.extend(ASKS_FOR_GENERATION);
                    question.size = size.or(Some(1232));
                }
                "class" => question.class = value.parse().unwrap(),
                "opcode" => question.opcode = value.parse().unwrap(),
                other => panic!("what is `{other}`?"),
            }
        }
        question
    }

    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = vec![0x12, 0x34, self.opcode << 3 | u8::from(self.rd), u8::from(self.cd) << 4];
        wire.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.size.is_some())]);
        wire.extend(self.name.as_wire());
        wire.extend(self.rtype.0.to_be_bytes());
        wire.extend(self.class.to_be_bytes());
        if let Some(size) = self.size {
            wire.extend([0, 0, 41]);
            wire.extend(size.to_be_bytes());
            wire.extend([0, self.version, u8::from(self.dnssec_ok) << 7, 0]);
            wire.extend(u16::try_from(self.options.len()).unwrap().to_be_bytes());
            wire.extend(&self.options);
        }
        wire
    }
}

pub fn from_hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

pub fn to_hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Code, flags and length in a line, then each section that is not empty.
pub fn to_text(reply: &[u8]) -> String {
    let message = Message::from_octets(reply).unwrap();
    let header = message.header();
    let mut text = message.opt_rcode().to_string();
    for (is_set, flag) in [
        (header.aa(), "aa"),
        (header.tc(), "tc"),
        (header.rd(), "rd"),
        (header.ra(), "ra"),
        (header.ad(), "ad"),
        (header.cd(), "cd"),
    ] {
        if is_set {
            write!(text, " {flag}").unwrap();
        }
    }
    if header.opcode().to_int() != 0 {
        write!(text, " opcode={}", header.opcode().to_int()).unwrap();
    }
    if let Some(opt) = message.opt() {
        let (size, version) = (opt.udp_payload_size(), opt.version());
        write!(text, " edns={size}/{version}{}", if opt.dnssec_ok() { "/do" } else { "" }).unwrap();
        if let Some(told) = generation_told(reply) {
            write!(text, " generation={}/{}", told.generation, &told.id.to_string()[..8]).unwrap();
        }
        for (code, value) in options_told(reply) {
            match code {
                3 => write!(text, " nsid={}", String::from_utf8_lossy(&value)).unwrap(),
                10 => write!(text, " cookie={}", to_hex(&value)).unwrap(),
                11 => write!(text, " keepalive={}", u16::from_be_bytes(value.try_into().unwrap())).unwrap(),
                15 => {
                    let (why, more) = value.split_first_chunk().unwrap();
                    let more = String::from_utf8(more.to_vec()).unwrap().replace(' ', "-");
                    let dash = if more.is_empty() { "" } else { "-" };
                    write!(text, " ede={}{dash}{more}", u16::from_be_bytes(*why)).unwrap();
                }
                other => assert_eq!(other, GENERATION_OPTION, "nobody asked for that"),
            }
        }
    }
    writeln!(text, " {} octets", reply.len()).unwrap();
    match message.question().next() {
        Some(question) => {
            let question = question.unwrap();
            writeln!(text, "question: {} {}", question.qname(), question.qtype()).unwrap();
        }
        None => writeln!(text, "no question").unwrap(),
    }
    for (title, lines) in sections(reply) {
        if !lines.is_empty() {
            writeln!(text, "{title}:").unwrap();
        }
        lines.iter().for_each(|line| writeln!(text, "  {line}").unwrap());
    }
    text
}

/// The options of a reply, in their order.
pub fn options_told(reply: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let message = Message::from_octets(reply).unwrap();
    let Some(opt) = message.opt() else { return Vec::new() };
    let options = opt.opt().iter::<UnknownOptData<_>>().map(|option| option.unwrap());
    options.map(|option| (option.code().to_int(), option.as_slice().to_vec())).collect()
}

/// What a reply says of the generation that it was made from.
pub fn generation_told(reply: &[u8]) -> Option<Version> {
    let (_, value) = options_told(reply).into_iter().find(|(code, _)| *code == GENERATION_OPTION)?;
    let (generation, id) = value.split_first_chunk().unwrap();
    let generation = Generation::new(i64::from_be_bytes(*generation)).unwrap();
    Some(Version { generation, id: Id::from_bytes(id).unwrap() })
}

type AnyRecord<'m> = Record<ParsedName<&'m [u8]>, AllRecordData<&'m [u8], ParsedName<&'m [u8]>>>;

/// The records of each section but OPT, as lines of a zone file.
pub fn sections(reply: &[u8]) -> Vec<(&'static str, Vec<String>)> {
    let message = Message::from_octets(reply).unwrap();
    let titles = ["answer", "authority", "additional"];
    let sections = [message.answer().unwrap(), message.authority().unwrap(), message.additional().unwrap()];
    let read = |(title, section): (&'static str, domain::base::message::RecordSection<'_, _>)| {
        let records = section.limit_to::<AllRecordData<_, _>>().map(|record| record.unwrap());
        let records = records.filter(|record: &AnyRecord<'_>| record.rtype() != domain::base::Rtype::OPT);
        let line = |record: AnyRecord<'_>| {
            let owner = match record.owner().to_string() {
                owner if owner.ends_with('.') => owner,
                owner => format!("{owner}."),
            };
            format!("{owner} {} {} {}", record.ttl().as_secs(), record.rtype(), record.data())
        };
        (title, records.map(line).collect())
    };
    titles.into_iter().zip(sections).map(|(title, section)| read((title, section.into_iter()))).collect()
}
