{#- Every line of every history file, all kinds together. Columns are explicit: what a file lacks is null, and a line
    that a crash has torn is left out. -#}
{%- set columns = {
    'schema_version': 'integer',
    'kind': 'varchar',
    'invocation_id': 'varchar',
    'started_at': 'timestamp',
    'completed_at': 'timestamp',
    'command': 'varchar',
    'project_name': 'varchar',
    'target': 'varchar',
    'threads': 'integer',
    'lineal_version': 'varchar',
    'unique_id': 'varchar',
    'resource_type': 'varchar',
    'name': 'varchar',
    'package_name': 'varchar',
    'original_file_path': 'varchar',
    'materialized': 'varchar',
    'relation_name': 'varchar',
    'depends_on': 'varchar[]',
    'status': 'varchar',
    'execution_time': 'double',
    'thread_id': 'varchar',
    'rows_affected': 'bigint',
    'failures': 'bigint',
    'message': 'varchar',
    'elapsed': 'double',
    'success': 'boolean',
    'interrupted': 'boolean',
} -%}
{%- set pattern = (var('history_path') ~ '/*.jsonl').replace("'", "''") -%}
{%- set there = false -%}
{%- if execute -%}
    {%- set there = run_query("select 1 from glob('" ~ pattern ~ "') limit 1").rows | length > 0 -%}
{%- endif -%}

{% if there -%}
select
    {% for column in columns -%}
    {{ column }},
    {% endfor -%}
    parse_filename(filename) as file_name
from read_json(
    '{{ pattern }}',
    format = 'newline_delimited',
    filename = true,
    ignore_errors = true,
    columns = {
        {%- for column, type in columns.items() %}
        '{{ column }}': '{{ type }}'{{ ',' if not loop.last }}
        {%- endfor %}
    }
)
where schema_version is not null
{%- else -%}
-- no history yet
select
    {% for column, type in columns.items() -%}
    null::{{ type }} as {{ column }},
    {% endfor -%}
    null::varchar as file_name
where false
{%- endif %}
