{# A batch replaces the rows of its own span of event time, [start, end), and no others. #}
{% macro duckdb__get_incremental_microbatch_sql(arg_dict) -%}
  {%- set event_time = config.get('event_time') -%}
  {%- if not event_time -%}
    {%- do exceptions.raise_compiler_error('A microbatch model needs the config event_time') -%}
  {%- endif -%}
  {%- if config.get('unique_key') -%}
    {%- do exceptions.raise_compiler_error(
      "microbatch incremental strategy does not support 'unique_key': a batch is replaced as a whole, by 'event_time'. "
      ~ "Remove 'unique_key' or use incremental_strategy='merge'."
    ) -%}
  {%- endif -%}
  {%- set batch = model.get('batch') or {} -%}
  {%- if not (batch.get('event_time_start') and batch.get('event_time_end')) -%}
    {%- do exceptions.raise_compiler_error('A microbatch model runs in batches: event_time_start and event_time_end are not known here') -%}
  {%- endif -%}

  {#- Both ends are in UTC. -#}
  {%- set in_batch = event_time ~ " >= '" ~ batch.get('event_time_start') ~ "' and " ~ event_time ~ " < '" ~ batch.get('event_time_end') ~ "'" -%}
  {%- set names = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
  {%- set replace -%}
    delete from {{ arg_dict['target_relation'] }}
    where {{ in_batch }}
    {%- for predicate in normalize_incremental_predicates(arg_dict.get('incremental_predicates')) %}
    and ({{ predicate }})
    {%- endfor %};

    insert into {{ arg_dict['target_relation'] }} ({{ names }})
    select {{ names }}
    from {{ arg_dict['temp_relation'] }}
    where {{ in_batch }};
  {%- endset -%}
  {{ return(replace) }}
{%- endmacro %}
