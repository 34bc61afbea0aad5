select
    invocation_id,
    unique_id,
    resource_type,
    name as node_name,
    package_name,
    original_file_path,
    materialized,
    relation_name,
    depends_on,
    status,
    case
        when status in ('success', 'pass', 'no-op') then 'good'
        when status = 'warn' then 'warned'
        when status = 'skipped' then 'skipped'
        else 'bad'
    end as outcome,
    started_at,
    completed_at,
    execution_time as duration_seconds,
    thread_id,
    rows_affected,
    failures as failing_rows,
    message
from {{ ref('stg_history_lines') }}
where schema_version = 1
    and kind = 'node'
qualify row_number() over (partition by invocation_id, unique_id order by completed_at desc nulls last, file_name) = 1
