//! `approx_percentile(x, p)`, `approx_percentile(x, w, p)`, with one percentile or an array of them.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, ListBuilder,
};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;

use super::digest::Digest;
use crate::functions::scalar::{as_doubles, list_of};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Percentile {
    signature: Signature,
}

impl Percentile {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn digests(args: &AccumulatorArgs<'_>) -> Result<Digests> {
        if args.is_distinct {
            return plan_err!("approx_percentile does not take DISTINCT");
        }
        let constant = args
            .exprs
            .last()
            .and_then(|expression| expression.downcast_ref::<Literal>())
            .map(|literal| literal.value().clone());
        let Some(constant) = constant else {
            return plan_err!("the percentile of approx_percentile must be a constant");
        };
        let (numbers, is_list) = match &constant {
            ScalarValue::List(list) if list.is_valid(0) => (list.value(0), true),
            ScalarValue::Float64(_) => (constant.to_array()?, false),
            _ => return plan_err!("the percentile of approx_percentile is NULL"),
        };
        let wanted: Vec<f64> = as_doubles(&numbers)?.iter().flatten().collect();
        if wanted.len() < numbers.len() || wanted.iter().any(|p| !(0.0..=1.0).contains(p)) {
            return plan_err!("a percentile of approx_percentile is from 0 to 1");
        }
        Ok(Digests {
            groups: Vec::new(),
            wanted,
            is_list,
            is_weighted: args.exprs.len() > 2,
            returns: args.return_field.data_type().clone(),
            held: 0,
        })
    }
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &'static str {
        "approx_percentile"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let wrong = || {
            let given: Vec<String> = given.iter().map(crate::functions::types::name).collect();
            plan_err!(
                "approx_percentile({}) is not there: it is approx_percentile(x[, weight], percentage or array of them), of bigint or double",
                given.join(", ")
            )
        };
        let (Some(value), Some(percentile), 2..=3) = (given.first(), given.last(), given.len())
        else {
            return wrong();
        };
        let value = match value {
            kind if kind.is_integer() => DataType::Int64,
            kind if kind.is_numeric() || kind.is_null() => DataType::Float64,
            _ => return wrong(),
        };
        let percentile = match percentile {
            DataType::List(_) | DataType::FixedSizeList(..) => list_of(DataType::Float64),
            kind if kind.is_numeric() => DataType::Float64,
            _ => return wrong(),
        };
        match given {
            [_, _] => Ok(vec![value, percentile]),
            [_, weight, _] if weight.is_numeric() => Ok(vec![value, DataType::Float64, percentile]),
            _ => wrong(),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let value = given.first().cloned().unwrap_or(DataType::Float64);
        Ok(match given.last() {
            Some(DataType::List(_)) => list_of(value),
            _ => value,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(["means", "weights"]
            .into_iter()
            .map(|part| {
                Arc::new(Field::new(
                    format_state_name(args.name, part),
                    list_of(DataType::Float64),
                    true,
                ))
            })
            .collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let mut digests = Self::digests(&args)?;
        digests.grow(1);
        Ok(Box::new(digests))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Self::digests(&args)?))
    }
}

/// A sketch for each group.
#[derive(Debug)]
struct Digests {
    groups: Vec<Digest>,
    wanted: Vec<f64>,
    is_list: bool,
    is_weighted: bool,
    returns: DataType,
    /// Bytes that the sketches hold.
    held: usize,
}

impl Digests {
    fn grow(&mut self, groups: usize) {
        if self.groups.len() < groups {
            self.groups.resize_with(groups, Digest::default);
        }
    }

    fn change(&mut self, group: usize, change: impl FnOnce(&mut Digest)) {
        let digest = &mut self.groups[group];
        let before = digest.size();
        change(digest);
        self.held = self.held + digest.size() - before;
    }

    fn add(
        &mut self,
        values: &[ArrayRef],
        group: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let numbers = as_doubles(&values[0])?;
        let weights = if self.is_weighted {
            Some(as_doubles(&values[1])?)
        } else {
            None
        };
        for row in 0..numbers.len() {
            let counts = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !counts || numbers.is_null(row) {
                continue;
            }
            let number = numbers.value(row);
            match &weights {
                None => self.change(group(row), |digest| digest.add(number)),
                Some(weights) if weights.is_valid(row) => {
                    let weight = weights.value(row);
                    if weight < 0.0 || weight.is_nan() {
                        return exec_err!("a weight of approx_percentile is below zero");
                    }
                    self.change(group(row), |digest| digest.add_weighted(number, weight));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn add_states(&mut self, states: &[ArrayRef], group: impl Fn(usize) -> usize) {
        let (means, weights) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in (0..means.len()).filter(|row| means.is_valid(*row)) {
            let (means, weights) = (means.value(row), weights.value(row));
            let weights = weights.as_primitive::<Float64Type>().values();
            let means = means.as_primitive::<Float64Type>().values();
            self.change(group(row), |digest| {
                for (mean, weight) in means.iter().zip(weights) {
                    digest.add_weighted(*mean, *weight);
                }
            });
        }
    }

    fn taken(&mut self, emit: EmitTo) -> Vec<Digest> {
        let taken = emit.take_needed(&mut self.groups);
        let size: usize = taken.iter().map(Digest::size).sum();
        self.held = self.held.saturating_sub(size);
        taken
    }

    fn results(&self, digests: Vec<Digest>) -> Result<ArrayRef> {
        let found = digests
            .into_iter()
            .map(|mut digest| digest.percentiles(&self.wanted));
        let doubles: ArrayRef = if self.is_list {
            let mut builder = ListBuilder::new(Float64Builder::new());
            for found in found {
                builder.append_option(found.map(|found| found.into_iter().map(Some)));
            }
            let is_whole =
                matches!(&self.returns, DataType::List(field) if field.data_type().is_integer());
            let lists = builder.finish();
            if is_whole {
                let (field, offsets, values, nulls) = lists.into_parts();
                let rounded = rounded(values.as_primitive());
                Arc::new(datafusion::arrow::array::ListArray::try_new(
                    field,
                    offsets,
                    Arc::new(rounded),
                    nulls,
                )?)
            } else {
                Arc::new(lists)
            }
        } else {
            let numbers: Float64Array = found.map(|found| Some(found?[0])).collect();
            if self.returns.is_integer() {
                Arc::new(rounded(&numbers))
            } else {
                Arc::new(numbers)
            }
        };
        Ok(compute::cast(&doubles, &self.returns)?)
    }
}

/// Of whole numbers the percentile is a whole number.
fn rounded(numbers: &Float64Array) -> Float64Array {
    compute::unary(numbers, f64::round)
}

fn states(digests: &[Digest]) -> Vec<ArrayRef> {
    let mut means = ListBuilder::new(Float64Builder::new());
    let mut weights = ListBuilder::new(Float64Builder::new());
    for digest in digests {
        for (mean, weight) in digest.parts() {
            means.values().append_value(mean);
            weights.values().append_value(weight);
        }
        means.append(true);
        weights.append(true);
    }
    vec![Arc::new(means.finish()), Arc::new(weights.finish())]
}

impl GroupsAccumulator for Digests {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.add(values, |row| group_indices[row], opt_filter)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        self.add_states(values, |row| group_indices[row]);
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let digests = self.taken(emit_to);
        self.results(digests)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(states(&self.taken(emit_to)))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut each = Self {
            groups: Vec::new(),
            wanted: self.wanted.clone(),
            is_list: self.is_list,
            is_weighted: self.is_weighted,
            returns: self.returns.clone(),
            held: 0,
        };
        each.grow(values[0].len());
        each.add(values, |row| row, opt_filter)?;
        Ok(states(&each.groups))
    }

    fn size(&self) -> usize {
        self.held + self.groups.capacity() * size_of::<Digest>()
    }
}

impl Accumulator for Digests {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, |_| 0, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.add_states(states, |_| 0);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let results = self.results(self.groups.clone())?;
        ScalarValue::try_from_array(&results, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        states(&self.groups)
            .iter()
            .map(|state| ScalarValue::try_from_array(state, 0))
            .collect()
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(self)
    }
}
