select
    project_name,
    target,
    unique_id,
    any_value(node_name) as test_name,
    any_value(depends_on) as tested,
    started_at::date as day,
    count(*) as runs,
    count(*) filter (where outcome = 'bad') as failed_runs,
    count(*) filter (where outcome = 'warned') as warned_runs,
    max(failing_rows) as most_failing_rows,
    arg_max(failing_rows, started_at) as last_failing_rows,
    arg_max(status, started_at) as last_status
from {{ ref('executions') }}
where resource_type in ('test', 'unit_test')
    and outcome != 'skipped'
    and started_at is not null
group by project_name, target, unique_id, started_at::date
