//! Strings of their own for what keeps batches.
//!
//! A sort for the first few rows keeps whole batches and counts the memory behind their strings. The
//! batches of a grouping all point into the same few buffers, which it would count once for each of
//! them: many times what there is, so that a query is refused for want of memory. Below such a sort
//! strings are copied, if less than half of the memory behind a batch is its own.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use futures_util::StreamExt;

/// Puts [`OwnStrings`] below sorts for the first few rows.
#[derive(Debug)]
pub(crate) struct BelowFirstRows;

impl PhysicalOptimizerRule for BelowFirstRows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wrapped = plan.transform_up(|node| {
            let is_for_first = node
                .downcast_ref::<SortExec>()
                .is_some_and(|sort| sort.fetch().is_some());
            let children = node.children();
            let [input] = children[..] else {
                return Ok(Transformed::no(node));
            };
            if !is_for_first || !has_strings(input) {
                return Ok(Transformed::no(node));
            }
            let own: Arc<dyn ExecutionPlan> = Arc::new(OwnStrings {
                input: input.clone(),
            });
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            Ok(Transformed::yes(
                node.clone().replace_children(vec![own], options)?,
            ))
        })?;
        Ok(wrapped.data)
    }

    fn name(&self) -> &'static str {
        "own_strings"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn has_strings(input: &Arc<dyn ExecutionPlan>) -> bool {
    let schema = input.schema();
    let mut fields = schema.fields().iter();
    fields.any(|field| *field.data_type() == DataType::Utf8View)
}

/// Copies strings that share their memory with other batches.
#[derive(Debug, Clone)]
struct OwnStrings {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for OwnStrings {
    fn fmt_as(
        &self,
        _: DisplayFormatType,
        formatter: &mut std::fmt::Formatter<'_>,
    ) -> std::fmt::Result {
        write!(formatter, "OwnStrings")
    }
}

#[async_trait]
impl ExecutionPlan for OwnStrings {
    fn name(&self) -> &'static str {
        "OwnStrings"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().unwrap_or_else(|| self.input.clone());
        Ok(Arc::new(Self { input }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let schema = input.schema();
        let owned = input.map(|batch| batch.and_then(|batch| own(&batch)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, owned)))
    }
}

fn own(batch: &RecordBatch) -> Result<RecordBatch> {
    let columns = batch.columns().iter().map(own_column).collect();
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

fn own_column(column: &ArrayRef) -> ArrayRef {
    let Some(strings) = column.as_string_view_opt() else {
        return column.clone();
    };
    let behind: usize = strings.data_buffers().iter().map(Buffer::capacity).sum();
    if strings.total_buffer_bytes_used() * 2 < behind {
        Arc::new(strings.gc())
    } else {
        column.clone()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Array, StringViewArray};

    use super::*;

    #[test]
    fn a_part_of_a_large_array_gets_memory_of_its_own() {
        let text = |number: usize| format!("a text that is longer than twelve bytes {number}");
        let all: StringViewArray = (0..10_000).map(|number| Some(text(number))).collect();
        let all: ArrayRef = Arc::new(all);
        let part = own_column(&all.slice(5_000, 2));
        assert_eq!(part.as_string_view().value(1), text(5_001));
        assert!(part.get_buffer_memory_size() < 1_000);
        let whole = own_column(&all);
        assert_eq!(whole.get_buffer_memory_size(), all.get_buffer_memory_size());
    }
}
