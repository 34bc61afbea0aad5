select
    nodes.invocation_id || '/' || nodes.unique_id as execution_id,
    nodes.invocation_id,
    nodes.unique_id,
    invocations.project_name,
    invocations.command,
    invocations.target,
    nodes.resource_type,
    nodes.node_name,
    nodes.package_name,
    nodes.original_file_path,
    nodes.materialized,
    nodes.relation_name,
    nodes.depends_on,
    nodes.status,
    nodes.outcome,
    nodes.started_at,
    nodes.completed_at,
    nodes.duration_seconds,
    nodes.thread_id,
    nodes.rows_affected,
    nodes.failing_rows,
    nodes.message,
    -- The latest execution of a node on a target is number 1.
    row_number() over (
        partition by invocations.project_name, invocations.target, nodes.unique_id
        order by coalesce(nodes.started_at, invocations.started_at) desc, nodes.invocation_id desc
    ) as executions_back
from {{ ref('stg_history_nodes') }} as nodes
inner join {{ ref('stg_history_invocations') }} as invocations using (invocation_id)
