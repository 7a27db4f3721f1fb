//! Record data: two octets of type, then the data, as octets and as text.

use zone_model::{Name, RecordData, RecordType};

/// Checks data as octets, and reads them as text.
///
/// # Panics
/// What was taken in cannot be told and taken in again.
pub fn check(input: &[u8]) {
    let Some((rtype, data)) = input.split_first_chunk() else { return };
    let rtype = RecordType(u16::from_be_bytes(*rtype));
    if let Ok(data) = RecordData::from_wire(rtype, data) {
        check_data(rtype, &data);
    }
    let Ok(text) = str::from_utf8(data) else { return };
    let origin = Name::parse("z.").unwrap_or_else(|why| panic!("{why}"));
    match RecordData::parse(rtype, text, &origin) {
        Ok(data) => {
            assert_eq!(RecordData::from_wire(rtype, data.as_wire()).as_ref(), Ok(&data), "{rtype} {text}");
            check_data(rtype, &data);
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
}

fn check_data(rtype: RecordType, data: &RecordData) {
    let wire = data.as_wire();
    let text = data.to_text(rtype);
    assert!(!text.contains('\n'), "{rtype} {text}");
    let again = RecordData::parse(rtype, &text, &Name::root());
    assert_eq!(again.as_ref().map(RecordData::as_wire), Ok(wire), "{rtype} {text}");
    // The canonical form is as long, is data of the type, and is its own.
    let canonical = data.canonical(rtype).into_owned();
    assert_eq!(canonical.len(), wire.len(), "{rtype} {text}");
    let canonical = RecordData::from_wire(rtype, &canonical).unwrap_or_else(|why| panic!("{rtype} {text}: {why}"));
    assert_eq!(canonical.canonical(rtype), canonical.as_wire(), "{rtype} {text}");
    let mut at = 0;
    for name in data.embedded_names(rtype) {
        assert!(name.range.start >= at && name.range.end <= wire.len(), "{rtype} {text}");
        at = name.range.end;
        assert!(Name::from_wire(&wire[name.range]).is_ok(), "{rtype} {text}");
    }
    let _ = (data.target(rtype), data.covered_type());
}
