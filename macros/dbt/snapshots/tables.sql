{# The queries of a snapshot: the first version of its table, and what changes in it from then on. #}

{# What the columns that a snapshot adds are called, unless its config renames them. #}
{% macro get_snapshot_table_column_names() %}
  {{ return({
    'dbt_valid_from': 'dbt_valid_from',
    'dbt_valid_to': 'dbt_valid_to',
    'dbt_scd_id': 'dbt_scd_id',
    'dbt_updated_at': 'dbt_updated_at',
    'dbt_is_deleted': 'dbt_is_deleted',
  }) }}
{% endmacro %}


{# The query for a snapshot that is not there yet: all rows are current. #}
{% macro build_snapshot_table(strategy, sql) -%}
  {{ adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql) }}
{% endmacro %}

{% macro default__build_snapshot_table(strategy, sql) %}
  {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() %}
    select *,
        {{ strategy.scd_id }} as {{ columns.dbt_scd_id }},
        {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
        {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
        {{ get_dbt_valid_to_current(strategy, columns) }}
        {{ ", 'False' as " ~ columns.dbt_is_deleted if strategy.hard_deletes == 'new_record' }}
    from (
        {{ sql }}
    ) sbq
{% endmacro %}


{# Puts the changes into a temporary table, so that the statement that applies them reads each row once. #}
{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
  {%- set staging = make_temp_relation(target_relation) -%}
  {%- set changes = snapshot_staging_table(strategy, sql, target_relation) -%}
  {%- call statement('build_snapshot_staging_relation') -%}
    {{ create_table_as(True, staging, changes) }}
  {%- endcall -%}
  {%- do return(staging) -%}
{% endmacro %}


{#
  The changes, one row each, by dbt_change_type: an "insert" is a new version, an "update" ends one that has a
  successor, a "delete" ends one whose row is gone. With hard_deletes = new_record a row that is gone also gets a
  last version marked as deleted, and one that comes back is a change like any other.
#}
{% macro snapshot_staging_table(strategy, source_sql, target_relation) -%}
  {{ adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation) }}
{% endmacro %}

{% macro default__snapshot_staging_table(strategy, source_sql, target_relation) -%}
  {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- set open_until = config.get('dbt_valid_to_current') -%}
  {%- set marks_deletes = strategy.hard_deletes == 'new_record' -%}
  {%- set ends_deletes = marks_deletes or strategy.hard_deletes == 'invalidate' -%}

  {%- set keys = unique_key_fields(strategy.unique_key) -%}
  {%- set same_row = unique_key_join_on(strategy.unique_key, 'snapshotted_data', 'source_data') -%}
  {%- set is_gone = unique_key_is_null(strategy.unique_key, 'source_data') -%}
  {%- set now = snapshot_get_time() -%}
  {%- set deleted = 'snapshotted_data.' ~ columns.dbt_is_deleted -%}
  {%- set row_changed = strategy.row_changed ~ (' or ' ~ deleted ~ " = 'True'" if marks_deletes else '') %}
    with snapshot_query as (

        {{ source_sql }}

    ),

    snapshotted_data as (

        select *, {{ keys }}
        from {{ target_relation }}
        where
            {% if open_until -%}
            ( {{ equals(columns.dbt_valid_to | trim, open_until | trim) }} or {{ columns.dbt_valid_to | trim }} is null )
            {%- else -%}
            {{ columns.dbt_valid_to }} is null
            {%- endif %}

    ),

    insertions_source_data as (

        select *, {{ keys }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ get_dbt_valid_to_current(strategy, columns) }},
            {{ strategy.scd_id }} as {{ columns.dbt_scd_id }}

        from snapshot_query
    ),

    updates_source_data as (

        select *, {{ keys }},
            {{ strategy.updated_at }} as {{ columns.dbt_updated_at }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_from }},
            {{ strategy.updated_at }} as {{ columns.dbt_valid_to }}

        from snapshot_query
    ),

    {% if ends_deletes -%}
    deletes_source_data as (

        select *, {{ keys }}
        from snapshot_query
    ),
    {%- endif %}

    insertions as (

        select
            'insert' as dbt_change_type,
            source_data.*
            {{ ",'False' as " ~ columns.dbt_is_deleted if marks_deletes }}

        from insertions_source_data as source_data
        left outer join snapshotted_data
            on {{ same_row }}
            where {{ unique_key_is_null(strategy.unique_key, 'snapshotted_data') }}
            or ({{ unique_key_is_not_null(strategy.unique_key, 'snapshotted_data') }} and (
               {{ row_changed }}
            )

        )

    ),

    updates as (

        select
            'update' as dbt_change_type,
            source_data.*,
            snapshotted_data.{{ columns.dbt_scd_id }}
            {{ ', ' ~ deleted if marks_deletes }}

        from updates_source_data as source_data
        join snapshotted_data
            on {{ same_row }}
        where (
            {{ row_changed }}
        )
    )

    {%- if ends_deletes %}
    ,
    deletes as (

        select
            'delete' as dbt_change_type,
            source_data.*,
            {{ now }} as {{ columns.dbt_valid_from }},
            {{ now }} as {{ columns.dbt_updated_at }},
            {{ now }} as {{ columns.dbt_valid_to }},
            snapshotted_data.{{ columns.dbt_scd_id }}
            {{ ', ' ~ deleted if marks_deletes }}
        from snapshotted_data
        left join deletes_source_data as source_data
            on {{ same_row }}
            where {{ is_gone }}
            {{ _snapshot_not_deleted_already(columns, open_until) if marks_deletes }}
    )
    {%- endif %}

    {%- if marks_deletes %}
    ,
    {{ _snapshot_deletion_records(strategy, source_sql, target_relation, columns, now) }}
        from snapshotted_data
        left join deletes_source_data as source_data
            on {{ same_row }}
        where {{ is_gone }}
        {{ _snapshot_not_deleted_already(columns, open_until) }}

    )
    {%- endif %}

    select * from insertions
    union all
    select * from updates
    {%- if ends_deletes %}
    union all
    select * from deletes
    {%- endif %}
    {%- if marks_deletes %}
    union all
    select * from deletion_records
    {%- endif %}
{%- endmacro %}

{# Leaves alone the rows whose last version says already that they are gone. #}
{%- macro _snapshot_not_deleted_already(columns, open_until) -%}
  and not (
      snapshotted_data.{{ columns.dbt_is_deleted }} = 'True'
      and
      snapshotted_data.{{ columns.dbt_valid_to }} {{ '= ' ~ open_until if open_until else 'is null' }}
  )
{%- endmacro -%}

{# The select of the versions that mark a deletion: the last values known, in the order of the query's columns. #}
{%- macro _snapshot_deletion_records(strategy, source_sql, target_relation, columns, now) -%}
  {%- set known = get_list_of_column_names(get_columns_in_relation(target_relation)) -%}
  deletion_records as (

        select
            'insert' as dbt_change_type,
            {% for column in get_columns_in_query(source_sql) -%}
            {{ 'snapshotted_data' if column in known else 'source_data' }}.{{ adapter.quote(column) }},
            {% endfor -%}
            {%- if strategy.unique_key | is_list -%}
            {%- for key in strategy.unique_key -%}
            snapshotted_data.{{ key }} as dbt_unique_key_{{ loop.index }},
            {% endfor -%}
            {%- else -%}
            snapshotted_data.dbt_unique_key as dbt_unique_key,
            {% endif -%}
            {{ now }} as {{ columns.dbt_valid_from }},
            {{ now }} as {{ columns.dbt_updated_at }},
            snapshotted_data.{{ columns.dbt_valid_to }} as {{ columns.dbt_valid_to }},
            {{ snapshot_hash_arguments([columns.dbt_scd_id, snapshot_get_time()]) }} as {{ columns.dbt_scd_id }},
            'True' as {{ columns.dbt_is_deleted }}
{%- endmacro -%}


{# Applies the staged changes to the table. #}
{% macro snapshot_merge_sql(target, source, insert_cols) -%}
  {{ adapter.dispatch('snapshot_merge_sql', 'dbt')(target, source, insert_cols) }}
{%- endmacro %}

{% macro default__snapshot_merge_sql(target, source, insert_cols) -%}
  {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- set open_until = config.get('dbt_valid_to_current') -%}
  {%- set valid_to = 'DBT_INTERNAL_DEST.' ~ columns.dbt_valid_to -%}
  {%- set names = insert_cols | join(', ') %}
    merge into {{ target.render() }} as DBT_INTERNAL_DEST
    using {{ source }} as DBT_INTERNAL_SOURCE
    on DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }} = DBT_INTERNAL_DEST.{{ columns.dbt_scd_id }}

    when matched
     {% if open_until -%}
     and ({{ equals(valid_to | trim, open_until | trim) }} or {{ valid_to | trim }} is null)
     {%- else -%}
     and {{ valid_to }} is null
     {%- endif %}
     and DBT_INTERNAL_SOURCE.dbt_change_type in ('update', 'delete')
        then update
        set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}

    when not matched
     and DBT_INTERNAL_SOURCE.dbt_change_type = 'insert'
        then insert ({{ names }})
        values ({{ names }})
{% endmacro %}


{#
  The same without `merge`, which DuckDB and many PostgreSQL servers lack: an update closes versions, an insert opens others.
  `alias` is what the update calls the table, where it may be called something.
#}
{% macro _snapshot_update_and_insert(target, source, insert_cols, alias=none) -%}
  {%- set columns = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
  {%- set open_until = config.get('dbt_valid_to_current') -%}
  {%- set updated = alias if alias else target -%}
  {%- set valid_to = updated ~ '.' ~ columns.dbt_valid_to -%}
  {%- set taken = [] -%}
  {%- for name in insert_cols -%}
    {%- do taken.append('DBT_INTERNAL_SOURCE.' ~ name) -%}
  {%- endfor %}
    update {{ target }}{{ ' as ' ~ alias if alias }}
    set {{ columns.dbt_valid_to }} = DBT_INTERNAL_SOURCE.{{ columns.dbt_valid_to }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.{{ columns.dbt_scd_id }}::text = {{ updated }}.{{ columns.dbt_scd_id }}::text
      and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)
      {% if open_until -%}
      and ({{ valid_to }} = {{ open_until }} or {{ valid_to }} is null);
      {%- else -%}
      and {{ valid_to }} is null;
      {%- endif %}

    insert into {{ target }} ({{ insert_cols | join(', ') }})
    select {{ taken | join(', ') }}
    from {{ source }} as DBT_INTERNAL_SOURCE
    where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text;
{% endmacro %}


{# The end of a current version: null, or what the config has instead. The coalesce gives it updated_at's type. #}
{% macro get_dbt_valid_to_current(strategy, columns) %}
  coalesce(nullif({{ strategy.updated_at }}, {{ strategy.updated_at }}), {{ config.get('dbt_valid_to_current') or 'null' }})
  as {{ columns.dbt_valid_to }}
{% endmacro %}


{# A snapshot's key is one column or expression, or a list of them; its parts are carried as dbt_unique_key or dbt_unique_key_1, _2… #}

{% macro unique_key_fields(unique_key) %}
  {%- if unique_key | is_list %}
    {% for key in unique_key %}{{ key }} as dbt_unique_key_{{ loop.index }}{{ ' , ' if not loop.last }}{% endfor %}
  {% else %}
    {{ unique_key }} as dbt_unique_key
  {% endif -%}
{% endmacro %}

{% macro unique_key_join_on(unique_key, identifier, from_identifier) %}
  {%- if unique_key | is_list -%}
    {%- for key in unique_key -%}
      {%- set part = '.dbt_unique_key_' ~ loop.index %}
      {{ equals(identifier ~ part, from_identifier ~ part) }}{{ ' and ' if not loop.last }}
    {%- endfor %}
  {%- else %}
    {{ identifier }}.dbt_unique_key = {{ from_identifier }}.dbt_unique_key
  {% endif -%}
{% endmacro %}

{% macro unique_key_is_null(unique_key, identifier) %}
    {{ identifier }}.dbt_unique_key{{ '_1' if unique_key | is_list }} is null
{% endmacro %}

{% macro unique_key_is_not_null(unique_key, identifier) %}
    {{ identifier }}.dbt_unique_key{{ '_1' if unique_key | is_list }} is not null
{% endmacro %}
