{# Column lists for incremental models, and how two of them differ. #}

{% macro get_quoted_csv(column_names) %}
  {%- set quoted = [] -%}
  {%- for name in column_names -%}
    {%- do quoted.append(adapter.quote(name)) -%}
  {%- endfor -%}
  {{ return(quoted | join(', ')) }}
{% endmacro %}


{# The source's columns that the target has no column of that name for. #}
{% macro diff_columns(source_columns, target_columns) %}
  {%- set taken = target_columns | map(attribute='column') | list -%}
  {{ return(source_columns | rejectattr('name', 'in', taken) | list) }}
{% endmacro %}


{# [{column_name, new_type}] for the columns in both whose types differ by more than a length. #}
{% macro diff_column_data_types(source_columns, target_columns) %}
  {{ return(adapter.dispatch('diff_column_data_types', 'dbt')(source_columns, target_columns)) }}
{% endmacro %}

{% macro default__diff_column_data_types(source_columns, target_columns) %}
  {%- set current = {} -%}
  {%- for column in target_columns -%}
    {%- do current.update({column.name: column}) -%}
  {%- endfor -%}

  {%- set changed = [] -%}
  {%- for column in source_columns if column.name in current -%}
    {%- set old = current[column.name] -%}
    {%- if column.expanded_data_type != old.expanded_data_type and not column.can_expand_to(other_column=old) -%}
      {%- do changed.append({'column_name': old.name, 'new_type': column.expanded_data_type}) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(changed) }}
{% endmacro %}


{# The columns that a merge updates: those named, all but those named, or all. #}
{% macro get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
  {{ return(adapter.dispatch('get_merge_update_columns', 'dbt')(merge_update_columns, merge_exclude_columns, dest_columns)) }}
{% endmacro %}

{% macro default__get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
  {%- if merge_update_columns and merge_exclude_columns -%}
    {%- do exceptions.raise_compiler_error('A model has either merge_update_columns or merge_exclude_columns, not both') -%}
  {%- endif -%}
  {%- if merge_update_columns -%}
    {%- do return(merge_update_columns) -%}
  {%- endif -%}

  {%- set left_out = merge_exclude_columns | map('lower') | list if merge_exclude_columns else [] -%}
  {%- set updated = [] -%}
  {%- for column in dest_columns if column.column | lower not in left_out -%}
    {%- do updated.append(column.quoted) -%}
  {%- endfor -%}
  {{ return(updated) }}
{% endmacro %}
