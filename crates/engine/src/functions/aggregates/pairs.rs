//! Aggregates that collect pairs: `histogram`, `map_agg`, `multimap_agg`, `map_union`,
//! `approx_most_frequent`, and `max_by` and `min_by` of several or over windows.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;

use crate::functions::arrays::{elements, list_value};
use crate::functions::maps::{map_array, types_of};
use crate::functions::scalar::{array_of, element_of, is_text, list_of, map_of};
use crate::functions::types;

/// The functions of this file.
pub(super) fn functions() -> Vec<AggregateUDF> {
    [
        ("histogram", Kind::Histogram),
        ("map_agg", Kind::Map),
        ("multimap_agg", Kind::Multimap),
        ("map_union", Kind::Union),
        ("approx_most_frequent", Kind::Frequent),
        ("$max_by", Kind::Greatest),
        ("$min_by", Kind::Least),
    ]
    .into_iter()
    .map(|(name, kind)| {
        AggregateUDF::new_from_impl(Pairs {
            name,
            kind,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    })
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Value and count.
    Histogram,
    /// Key and value; the first of a key stays.
    Map,
    /// Key and values.
    Multimap,
    /// Of maps; the first of a key stays.
    Union,
    /// Value and count, of the most frequent.
    Frequent,
    /// By which, and what.
    Greatest,
    Least,
}

#[derive(Debug)]
struct Pairs {
    name: &'static str,
    kind: Kind,
    signature: Signature,
}

impl PartialEq for Pairs {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Pairs {}

impl Hash for Pairs {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl Pairs {
    /// The types of what is kept: of keys and of values.
    fn kept(&self, given: &[DataType]) -> (DataType, DataType) {
        let at = |place: usize| given.get(place).cloned().unwrap_or(DataType::Null);
        match self.kind {
            Kind::Histogram => (at(0), DataType::Int64),
            Kind::Map => (at(0), at(1)),
            Kind::Multimap => (at(0), list_of(at(1))),
            Kind::Union => types_of(&at(0)),
            Kind::Frequent => (at(1), DataType::Int64),
            Kind::Greatest | Kind::Least => (at(1), at(0)),
        }
    }
}

impl AggregateUDFImpl for Pairs {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let fits = match self.kind {
            Kind::Histogram => given.len() == 1,
            Kind::Map | Kind::Multimap => given.len() == 2,
            Kind::Union => matches!(given, [DataType::Map(..)]),
            Kind::Frequent => {
                matches!(given, [buckets, _, capacity] if buckets.is_integer() && capacity.is_integer())
            }
            Kind::Greatest | Kind::Least => {
                given.len() == 2 || matches!(given, [_, _, count] if count.is_integer())
            }
        };
        if !fits {
            let given: Vec<String> = given.iter().map(types::name).collect();
            let name = self.name.trim_start_matches('$');
            let form = match self.kind {
                Kind::Histogram => "(value)",
                Kind::Map | Kind::Multimap => "(key, value)",
                Kind::Union => "(map)",
                Kind::Frequent => "(buckets, value, capacity)",
                Kind::Greatest | Kind::Least => "(value, by[, count])",
            };
            return plan_err!(
                "{name}({}) is not there: it is {name}{form}",
                given.join(", ")
            );
        }
        Ok(given
            .iter()
            .map(|kind| {
                if is_text(kind) {
                    DataType::Utf8View
                } else {
                    kind.clone()
                }
            })
            .collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let (key, value) = self.kept(given);
        Ok(match self.kind {
            Kind::Greatest | Kind::Least if given.len() == 3 => list_of(value),
            Kind::Greatest | Kind::Least => value,
            _ => map_of(key, value),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let given: Vec<DataType> = args
            .input_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let (key, value) = self.kept(&given);
        Ok([("keys", key), ("values", value)]
            .into_iter()
            .map(|(part, kind)| {
                Arc::new(Field::new(
                    format_state_name(args.name, part),
                    list_of(kind),
                    true,
                ))
            })
            .collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!(
                "{} does not take DISTINCT",
                self.name.trim_start_matches('$')
            );
        }
        let given: Vec<DataType> = args
            .expr_fields
            .iter()
            .map(|field| field.data_type().clone())
            .collect();
        let (key_type, value_type) = self.kept(&given);
        let (limit, capacity) = match self.kind {
            Kind::Frequent => (
                count(&args, 0, "buckets of approx_most_frequent")?,
                count(&args, 2, "the capacity of approx_most_frequent")?,
            ),
            Kind::Greatest | Kind::Least if given.len() == 3 => (
                count(&args, 2, "the count of max_by and min_by")?,
                usize::MAX,
            ),
            Kind::Greatest | Kind::Least => (1, usize::MAX),
            _ => (usize::MAX, usize::MAX),
        };
        Ok(Box::new(Collected {
            kind: self.kind,
            key_type,
            value_type,
            returns: args.return_field.data_type().clone(),
            is_list: given.len() == 3,
            limit,
            capacity,
            keys: Vec::new(),
            values: Vec::new(),
            places: HashMap::new(),
            held: 0,
        }))
    }
}

#[derive(Debug)]
enum Held {
    Count(i64),
    One(ScalarValue),
    Many(Vec<ScalarValue>),
}

/// What one group has collected.
#[derive(Debug)]
struct Collected {
    kind: Kind,
    key_type: DataType,
    value_type: DataType,
    returns: DataType,
    is_list: bool,
    /// The most that the result has: `n` and `buckets`.
    limit: usize,
    /// The most that `approx_most_frequent` counts.
    capacity: usize,
    keys: Vec<ScalarValue>,
    values: Vec<Held>,
    /// Where each key is; not for `max_by`, where keys may be the same.
    places: HashMap<ScalarValue, usize>,
    held: usize,
}

/// The most that `max_by` gives, and that `approx_most_frequent` counts.
const MOST: i64 = 100_000;

/// A count that must be a constant: what is known of it in part is not enough to join parts.
fn count(args: &AccumulatorArgs<'_>, place: usize, what: &str) -> Result<usize> {
    let constant = args
        .exprs
        .get(place)
        .and_then(|expression| expression.downcast_ref::<Literal>())
        .map(|literal| literal.value().cast_to(&DataType::Int64))
        .transpose()?;
    if let Some(ScalarValue::Int64(Some(number @ 1..=MOST))) = constant {
        Ok(usize::try_from(number).unwrap_or(1))
    } else {
        plan_err!("{what} must be a constant from 1 to {MOST}")
    }
}

impl Collected {
    fn insert(&mut self, key: ScalarValue, held: Held) {
        // Each key is there twice: in the order they came in, and to find it.
        self.held += 2 * key.size() + held.size();
        self.places.insert(key.clone(), self.keys.len());
        self.keys.push(key);
        self.values.push(held);
    }

    fn add(&mut self, key: ScalarValue, held: Held) {
        if matches!(self.kind, Kind::Greatest | Kind::Least) {
            self.held += key.size() + held.size();
            self.keys.push(key);
            self.values.push(held);
            let limit = self.limit;
            // Sorted once they are twice as many as wanted: a row costs little on average.
            if self.keys.len() >= 2 * limit + 16 {
                self.shorten(limit);
            }
            return;
        }
        match self.places.get(&key) {
            Some(place) => {
                let before = self.values[*place].size();
                self.values[*place].join(held);
                self.held = self.held + self.values[*place].size() - before;
            }
            None => {
                if self.kind == Kind::Frequent && self.keys.len() >= self.capacity {
                    self.replace(key, held);
                } else {
                    self.insert(key, held);
                }
            }
        }
    }

    /// The least frequent makes place, and leaves its count (Space-Saving, Metwally et al. 2005).
    fn replace(&mut self, key: ScalarValue, held: Held) {
        let least = self
            .values
            .iter()
            .enumerate()
            .min_by_key(|(_, held)| held.count())
            .map_or(0, |(place, _)| place);
        self.places.remove(&self.keys[least]);
        self.places.insert(key.clone(), least);
        self.keys[least] = key;
        self.values[least].join(held);
    }

    /// Pairs in the order of their keys: best first.
    fn sort(&mut self) {
        let greatest = self.kind == Kind::Greatest;
        let mut pairs: Vec<_> = self.keys.drain(..).zip(self.values.drain(..)).collect();
        pairs.sort_by(|left, right| {
            let order = left
                .0
                .partial_cmp(&right.0)
                .unwrap_or(std::cmp::Ordering::Equal);
            if greatest { order.reverse() } else { order }
        });
        (self.keys, self.values) = pairs.into_iter().unzip();
    }

    fn shorten(&mut self, limit: usize) {
        self.sort();
        self.keys.truncate(limit);
        self.values.truncate(limit);
        self.held = self.keys.iter().map(ScalarValue::size).sum::<usize>()
            + self.values.iter().map(Held::size).sum::<usize>();
    }

    /// The most frequent first, the ones that came first of those as frequent.
    fn most_frequent(&mut self) {
        let mut pairs: Vec<_> = self.keys.drain(..).zip(self.values.drain(..)).collect();
        pairs.sort_by_key(|(_, held)| std::cmp::Reverse(held.count()));
        pairs.truncate(self.limit);
        (self.keys, self.values) = pairs.into_iter().unzip();
        self.places.clear();
    }

    fn row(&mut self, values: &[ArrayRef], row: usize) -> Result<()> {
        let value = |place: usize| ScalarValue::try_from_array(&values[place], row);
        match self.kind {
            Kind::Histogram => self.add(value(0)?, Held::Count(1)),
            Kind::Map => self.add(value(0)?, Held::One(value(1)?)),
            Kind::Multimap => self.add(value(0)?, Held::Many(vec![value(1)?])),
            Kind::Frequent => self.add(value(1)?, Held::Count(1)),
            Kind::Greatest | Kind::Least => self.add(value(1)?, Held::One(value(0)?)),
            Kind::Union => {
                let map = values[0].as_map().value(row);
                let held = elements(map.column(1))?;
                for (key, value) in elements(map.column(0))?.into_iter().zip(held) {
                    self.add(key, Held::One(value));
                }
            }
        }
        Ok(())
    }

    /// Rows without a key do not count.
    fn key_column(&self) -> usize {
        match self.kind {
            Kind::Frequent | Kind::Greatest | Kind::Least => 1,
            _ => 0,
        }
    }
}

impl Held {
    fn count(&self) -> i64 {
        match self {
            Self::Count(count) => *count,
            _ => 0,
        }
    }

    fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Count(_) => 0,
                Self::One(value) => value.size(),
                Self::Many(values) => values.iter().map(ScalarValue::size).sum(),
            }
    }

    fn join(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count += more,
            (Self::Many(values), Self::Many(more)) => values.extend(more),
            // Of a map, the first value stays.
            _ => {}
        }
    }

    fn value(&self, kind: &DataType) -> Result<ScalarValue> {
        Ok(match self {
            Self::Count(count) => ScalarValue::Int64(Some(*count)),
            Self::One(value) => value.clone(),
            Self::Many(values) => list_value(array_of(values.clone(), &element_of(kind))?),
        })
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let keys = Arc::clone(&values[self.key_column()]);
        for row in (0..keys.len()).filter(|row| keys.is_valid(*row)) {
            self.row(values, row)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (keys, values) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in (0..keys.len()).filter(|row| keys.is_valid(*row)) {
            let keys = elements(&keys.value(row))?;
            for (key, value) in keys.into_iter().zip(elements(&values.value(row))?) {
                let held = match (self.kind, value) {
                    (Kind::Histogram | Kind::Frequent, ScalarValue::Int64(count)) => {
                        Held::Count(count.unwrap_or(0))
                    }
                    (Kind::Multimap, ScalarValue::List(list)) => {
                        Held::Many(elements(&list.value(0))?)
                    }
                    (_, value) => Held::One(value),
                };
                self.add(key, held);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        if matches!(self.kind, Kind::Greatest | Kind::Least) {
            self.shorten(self.limit);
        }
        let values = self
            .values
            .iter()
            .map(|held| held.value(&self.value_type))
            .collect::<Result<Vec<_>>>()?;
        Ok(vec![
            list_value(array_of(self.keys.clone(), &self.key_type)?),
            list_value(array_of(values, &self.value_type)?),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.keys.is_empty() {
            return ScalarValue::try_from(&self.returns);
        }
        match self.kind {
            Kind::Greatest | Kind::Least => self.shorten(self.limit),
            Kind::Frequent => self.most_frequent(),
            _ => {}
        }
        let values = self
            .values
            .iter()
            .map(|held| held.value(&self.value_type))
            .collect::<Result<Vec<_>>>()?;
        if matches!(self.kind, Kind::Greatest | Kind::Least) {
            if self.is_list {
                return Ok(list_value(array_of(values, &self.value_type)?));
            }
            return values
                .into_iter()
                .next()
                .map_or_else(|| ScalarValue::try_from(&self.returns), Ok);
        }
        let pairs = self.keys.iter().cloned().zip(values).collect();
        let map = map_array(vec![Some(pairs)], &self.returns)?;
        ScalarValue::try_from_array(&map, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.held + self.keys.capacity() * size_of::<ScalarValue>()
    }
}
