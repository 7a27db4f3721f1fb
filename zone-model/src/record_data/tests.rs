//! Properties of every layout in the table.

use super::layout::{Field, layout};
use super::{RecordData, bitmap, loc, svcb, wire};
use crate::{Name, RecordType};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

type Octets = BoxedStrategy<Vec<u8>>;

/// Any well-formed octets of a field.
fn field(field: Field) -> Octets {
    let exactly = |length: usize| vec(any::<u8>(), length).boxed();
    match field {
        Field::CompressibleName | Field::Name | Field::VerbatimName => vec(vec(any::<u8>(), 1..9), 0..5)
            .prop_map(|labels| Name::from_labels(labels.iter().map(Vec::as_slice)).unwrap().as_wire().to_vec())
            .boxed(),
        Field::U8 | Field::Algorithm | Field::DigestType => exactly(1),
        Field::U16 | Field::Type | Field::CertificateType => exactly(2),
        Field::U32 | Field::Interval | Field::Time | Field::Ipv4 => exactly(4),
        Field::Eui48 => exactly(6),
        Field::Eui64 => exactly(8),
        Field::Ipv6 => exactly(16),
        Field::CharacterString | Field::Salt => vec(any::<u8>(), 0..40).prop_map(prefixed).boxed(),
        Field::Hash => vec(any::<u8>(), 1..40).prop_map(prefixed).boxed(),
        Field::CharacterStrings => {
            vec(vec(any::<u8>(), 0..40).prop_map(prefixed), 1..5).prop_map(|strings| strings.concat()).boxed()
        }
        Field::Tag => "[0-9A-Za-z]{1,20}".prop_map(|tag| prefixed(tag.into_bytes())).boxed(),
        Field::Text(least) | Field::Hex(least) | Field::Base64(least) => vec(any::<u8>(), least..least + 300).boxed(),
        Field::TypeBitmap => vec(any::<u16>().prop_map(RecordType), 0..20)
            .prop_map(|types| {
                let mut wire = Vec::new();
                bitmap::push(types, &mut wire);
                wire
            })
            .boxed(),
        Field::Loc => location(),
        Field::SvcParams => parameters(),
    }
}

fn prefixed(octets: Vec<u8>) -> Vec<u8> {
    [vec![u8::try_from(octets.len()).unwrap()], octets].concat()
}

fn location() -> Octets {
    let size = (0..10_u8, 0..10_u8).prop_map(|(digit, power)| digit << 4 | power);
    let around = |most: u32| ((1_u32 << 31) - most..=(1 << 31) + most).prop_map(u32::to_be_bytes);
    (vec(size, 3), around(90 * 3_600_000), around(180 * 3_600_000), any::<[u8; 4]>())
        .prop_map(|(sizes, latitude, longitude, altitude)| {
            [vec![0], sizes, latitude.to_vec(), longitude.to_vec(), altitude.to_vec()].concat()
        })
        .boxed()
}

fn parameters() -> Octets {
    let value = |key: u16| match key {
        svcb::key::ALPN => vec(vec(any::<u8>(), 1..6).prop_map(prefixed), 1..4).prop_map(|ids| ids.concat()).boxed(),
        svcb::key::NO_DEFAULT_ALPN | svcb::key::OHTTP => Just(Vec::new()).boxed(),
        svcb::key::PORT => vec(any::<u8>(), 2).boxed(),
        svcb::key::IPV4HINT => vec(any::<[u8; 4]>(), 1..4).prop_map(|addresses| addresses.concat()).boxed(),
        svcb::key::IPV6HINT => vec(any::<[u8; 16]>(), 1..4).prop_map(|addresses| addresses.concat()).boxed(),
        svcb::key::DOHPATH => "/\\PC{0,9}".prop_map(String::into_bytes).boxed(),
        _ => vec(any::<u8>(), 1..20).boxed(),
    };
    let keys = btree_set(prop_oneof![svcb::key::ALPN..=svcb::key::OHTTP, 9..svcb::key::INVALID], 0..8);
    (keys, any::<bool>())
        .prop_flat_map(move |(mut keys, has_mandatory)| {
            if keys.contains(&svcb::key::NO_DEFAULT_ALPN) {
                keys.insert(svcb::key::ALPN);
            }
            let all: Vec<u8> = keys.iter().copied().flat_map(u16::to_be_bytes).collect();
            let mut values: Vec<_> = keys.iter().map(|&key| (Just(key), value(key)).boxed()).collect();
            if has_mandatory && !all.is_empty() {
                values.insert(0, (Just(svcb::key::MANDATORY), Just(all)).boxed());
            }
            values
        })
        .prop_map(|parameters| {
            let length = |value: &[u8]| u16::try_from(value.len()).unwrap().to_be_bytes();
            let each =
                parameters.into_iter().map(|(key, value)| [&key.to_be_bytes(), &length(&value)[..], &value].concat());
            each.collect::<Vec<_>>().concat()
        })
        .boxed()
}

fn known_types() -> Vec<RecordType> {
    RecordType::NAMED.iter().copied().filter(|&rtype| layout(rtype).is_some()).collect()
}

/// A type with a layout, and well-formed data of it.
fn record() -> impl Strategy<Value = (RecordType, Vec<u8>)> {
    proptest::sample::select(known_types()).prop_flat_map(|rtype| {
        let fields: Vec<_> = layout(rtype).unwrap().iter().map(|&part| field(part)).collect();
        (Just(rtype), fields.prop_map(|fields| fields.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed_octets_become_text_and_the_same_octets((rtype, octets) in record()) {
        let data = RecordData::from_wire(rtype, &octets).unwrap();
        let text = data.to_text(rtype);
        prop_assert!(text.is_ascii() && !text.contains('\n'), "{}", text);
        // Only a LOC size of 0 times a power of ten has no text of its own.
        prop_assert!(!text.starts_with("\\#") || rtype == RecordType::LOC, "{}", text);
        let again = RecordData::parse(rtype, &text, &Name::root());
        prop_assert_eq!(again.as_ref(), Ok(&data), "{}", text);
    }

    #[test]
    fn octets_cut_short_or_too_many_are_refused_without_harm((rtype, octets) in record(), cut in any::<usize>()) {
        let cut = cut % octets.len();
        // What is left may be well-formed, where a field goes to the end. Then it has a text as well.
        if let Ok(data) = RecordData::from_wire(rtype, &octets[..cut]) {
            prop_assert_eq!(RecordData::parse(rtype, &data.to_text(rtype), &Name::root()), Ok(data));
        }
    }

    #[test]
    fn names_are_where_their_ranges_say((rtype, octets) in record()) {
        let data = RecordData::from_wire(rtype, &octets).unwrap();
        let fields: Vec<_> = wire::fields(layout(rtype).unwrap(), &octets).map(Result::unwrap).collect();
        prop_assert_eq!(fields.iter().map(|(_, range)| range.len()).sum::<usize>(), octets.len());
        let names: Vec<_> = data.name_ranges(rtype);
        prop_assert_eq!(names.len(), fields.iter().filter(|(field, _)| field.is_name()).count());
        for range in names {
            prop_assert!(Name::from_wire(&octets[range]).is_ok());
        }
        // Canonical form is well-formed too, of the same length, and its own canonical form.
        let canonical = RecordData::from_wire(rtype, &data.canonical(rtype)).unwrap();
        prop_assert_eq!(canonical.as_wire().len(), octets.len());
        prop_assert!(canonical.as_wire().eq_ignore_ascii_case(&octets));
        prop_assert_eq!(&*canonical.canonical(rtype), canonical.as_wire());
    }

    #[test]
    fn dates_are_seconds(seconds in any::<u32>()) {
        prop_assert_eq!(super::time::read_time(&super::time::write_time(seconds)), Some(seconds));
        prop_assert_eq!(super::time::read_time(&seconds.to_string()), Some(seconds));
    }
}

#[test]
fn dates_at_the_edges() {
    for (seconds, date) in [
        (0, "19700101000000"),
        (951_782_400, "20000229000000"),
        (951_868_800, "20000301000000"),
        (4_107_542_399, "21000228235959"),
        (4_107_542_400, "21000301000000"),
        (u32::MAX, "21060207062815"),
    ] {
        assert_eq!(super::time::write_time(seconds), date);
        assert_eq!(super::time::read_time(date), Some(seconds));
    }
    for bad in ["", "x", "19691231235959", "20010229000000", "20000100000000", "20000101240000", "21060207062816"] {
        assert_eq!(super::time::read_time(bad), None, "{bad}");
    }
}

#[test]
fn intervals_have_units() {
    for (text, seconds) in
        [("0", 0), ("5400", 5_400), ("1h30m", 5_400), ("1W2D3H4M5S", 788_645), ("4294967295", u32::MAX)]
    {
        assert_eq!(super::read_interval(text), Some(seconds), "{text}");
    }
    for bad in ["", "h", "1h30", "1y", "4294967296", "99999999999999999999", "7102w", "-1", "1 h"] {
        assert_eq!(super::read_interval(bad), None, "{bad}");
    }
}

#[test]
fn a_location_has_its_length() {
    assert_eq!(loc::check(&[0; loc::LENGTH]).map_err(|(octet, _)| octet), Err(4));
}
