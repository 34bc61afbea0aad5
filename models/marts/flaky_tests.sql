{#- A test is flaky when it goes back and forth: one change may be a fault or its repair, two are a pattern. -#}
with runs as (

    select
        project_name,
        target,
        unique_id,
        node_name,
        depends_on,
        started_at,
        outcome = 'bad' as is_failed,
        row_number() over (
            partition by project_name, target, unique_id
            order by executions_back
        ) as runs_back
    from {{ ref('executions') }}
    where resource_type in ('test', 'unit_test')
        and outcome != 'skipped'

),

compared as (

    select
        *,
        is_failed != lag(is_failed) over (
            partition by project_name, target, unique_id
            order by runs_back desc
        ) as is_changed
    from runs
    where runs_back <= {{ var('trend_runs') }}

)

select
    project_name,
    target,
    unique_id,
    any_value(node_name) as test_name,
    any_value(depends_on) as tested,
    count(*) as runs,
    count(*) filter (where is_failed) as failed_runs,
    count(*) filter (where is_changed) as changes,
    round(count(*) filter (where is_changed) / (count(*) - 1), 3) as change_rate,
    max(started_at) filter (where is_failed) as last_failed_at,
    arg_min(is_failed, runs_back) as is_failing_now
from compared
group by project_name, target, unique_id
having count(*) filter (where is_changed) >= 2
