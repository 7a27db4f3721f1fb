//! The nouns of Holdfast: names, record sets, zone contents, generations, plans and digests.
//!
//! Values are made at the door and cannot be wrong afterwards. Nothing here does I/O, reads a clock or draws a random
//! number.

mod content;
mod digest;
mod generation;
mod guard;
mod name;
mod plan;
mod record_data;
mod record_set;
mod record_type;
mod serial;
mod setting;
mod zone_contents;
pub mod zone_file;

pub use content::{Content, ContentError, Key, KeyColumns, ROW_TYPE_GUARDED, ROW_TYPE_SERIAL, ROW_TYPE_TOUCHED};
pub use digest::Digest;
pub use generation::{Base, GENERATIONS_PER_EPOCH, Generation, Id, Succession, Version, succession};
pub use guard::Guard;
pub use name::{LABEL_LENGTH_MAX, NAME_LENGTH_MAX, Name, NameError};
pub use plan::{
    Delete, Edit, GROUP_NAME_LENGTH_MAX, GroupName, GroupNameError, Plan, PlanKind, REASON_LENGTH_MAX, ZoneChange,
};
pub use record_data::{EmbeddedName, RecordData, RecordDataError, Soa};
pub use record_set::{RECORD_SET_SIZE_MAX, RecordSet, RecordSetError, SetKey, TTL_MAX};
pub use record_type::{RecordType, UnknownRecordType};
pub use serial::Serial;
pub use setting::{Limit, Setting, SettingValue};
pub use zone_contents::{Placed, Violation, ZoneContents, check_name, with_serial};
