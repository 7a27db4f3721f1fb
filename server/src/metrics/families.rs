//! Metrics as they are told: made for one reading, out of figures that somebody else keeps.

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::BTreeMap;

/// What stands before each name.
const PREFIX: &str = "holdfast_server_";

/// Labels: names and values, in the order of the names.
pub(super) type Labels<'l, const N: usize> = [(&'static str, &'l str); N];

/// All metrics of one reading.
#[derive(Default)]
pub(super) struct Families(Vec<MetricFamily>);

impl Families {
    /// A count for each of some labels; those of the same labels are added up.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        (name, help): (&str, &str),
        counts: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) {
        let mut sums = BTreeMap::<_, u64>::new();
        counts.into_iter().for_each(|(labels, count)| *sums.entry(labels).or_default() += count);
        self.add((name, help), MetricType::COUNTER, sums, |metric, count| {
            let mut counter = Counter::default();
            counter.set_value(count as f64);
            metric.set_counter(counter);
        });
    }

    /// A figure for each of some labels; those of the same labels are added up.
    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        (name, help): (&str, &str),
        values: impl IntoIterator<Item = (Labels<'l, N>, f64)>,
    ) {
        let mut sums = BTreeMap::<_, f64>::new();
        values.into_iter().for_each(|(labels, value)| *sums.entry(labels).or_default() += value);
        self.add((name, help), MetricType::GAUGE, sums, |metric, value| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        });
    }

    /// A figure.
    pub(super) fn gauge(&mut self, told: (&str, &str), value: f64) {
        self.gauges(told, [([], value)]);
    }

    /// Sizes by label: for each its counts between `bounds`, and their sum; those of the same labels are added up.
    pub(super) fn histograms<'l, const N: usize>(
        &mut self,
        (name, help): (&str, &str),
        bounds: &[f64],
        values: impl IntoIterator<Item = (Labels<'l, N>, (Vec<u64>, f64))>,
    ) {
        let mut sums = BTreeMap::<_, (Vec<u64>, f64)>::new();
        for (labels, (counts, sum)) in values {
            let all = sums.entry(labels).or_default();
            all.0.resize(counts.len(), 0);
            all.0.iter_mut().zip(counts).for_each(|(all, one)| *all += one);
            all.1 += sum;
        }
        self.add((name, help), MetricType::HISTOGRAM, sums, |metric, (counts, sum)| {
            let mut histogram = Histogram::default();
            let (mut up_to, mut buckets) = (0, Vec::new());
            for (bound, count) in bounds.iter().zip(&counts) {
                up_to += count;
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(*bound);
                bucket.set_cumulative_count(up_to);
                buckets.push(bucket);
            }
            histogram.set_bucket(buckets);
            histogram.set_sample_count(counts.iter().sum());
            histogram.set_sample_sum(sum);
            metric.set_histogram(histogram);
        });
    }

    fn add<const N: usize, V>(
        &mut self,
        (name, help): (&str, &str),
        kind: MetricType,
        values: BTreeMap<Labels<'_, N>, V>,
        set: impl Fn(&mut Metric, V),
    ) {
        // A family of nothing may not be told.
        if values.is_empty() {
            return;
        }
        let metrics = values.into_iter().map(|(labels, value)| {
            let pairs = labels.iter().map(|(name, value)| {
                let mut pair = LabelPair::default();
                pair.set_name((*name).to_owned());
                pair.set_value((*value).to_owned());
                pair
            });
            let mut metric = Metric::from_label(pairs.collect());
            set(&mut metric, value);
            metric
        });
        let mut family = MetricFamily::default();
        family.set_name(format!("{PREFIX}{name}"));
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics.collect());
        self.0.push(family);
    }

    /// As text.
    ///
    /// # Errors
    /// They cannot be told.
    pub(super) fn into_text(self) -> prometheus::Result<String> {
        let text = prometheus::TextEncoder::new().encode_to_string(&self.0)?;
        // As the format spells it; the encoder has Rust's spelling.
        Ok(text.replace(" inf\n", " +Inf\n"))
    }
}
