with nodes as (

    select
        invocation_id,
        count(*) as nodes,
        count(*) filter (where outcome = 'good') as good_nodes,
        count(*) filter (where outcome = 'warned') as warned_nodes,
        count(*) filter (where outcome = 'bad') as bad_nodes,
        count(*) filter (where outcome = 'skipped') as skipped_nodes,
        sum(duration_seconds) as node_seconds,
        max(completed_at) as last_node_completed_at
    from {{ ref('stg_history_nodes') }}
    group by invocation_id

)

select
    invocations.invocation_id,
    invocations.project_name,
    invocations.command,
    invocations.target,
    invocations.threads,
    invocations.lineal_version,
    invocations.started_at,
    coalesce(invocations.completed_at, nodes.last_node_completed_at) as completed_at,
    invocations.elapsed_seconds,
    case
        when not invocations.is_finished then 'unfinished'
        when invocations.is_interrupted then 'interrupted'
        when invocations.is_success then 'success'
        else 'failure'
    end as result,
    coalesce(nodes.nodes, 0) as nodes,
    coalesce(nodes.good_nodes, 0) as good_nodes,
    coalesce(nodes.warned_nodes, 0) as warned_nodes,
    coalesce(nodes.bad_nodes, 0) as bad_nodes,
    coalesce(nodes.skipped_nodes, 0) as skipped_nodes,
    -- How many threads were at work on average.
    round(nodes.node_seconds / nullif(invocations.elapsed_seconds, 0), 2) as busy_threads
from {{ ref('stg_history_invocations') }} as invocations
left join nodes using (invocation_id)
