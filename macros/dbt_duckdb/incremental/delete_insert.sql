{# The default strategy. #}
{% macro duckdb__get_incremental_default_sql(arg_dict) %}
  {%- do return(get_incremental_delete_insert_sql(arg_dict)) -%}
{% endmacro %}

{# One key column is matched by a set, several by a join. Without a key nothing is deleted. #}
{% macro duckdb__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
  {%- set names = get_quoted_csv(dest_columns | map(attribute='name')) -%}
  {%- set filters -%}
    {%- for predicate in incremental_predicates or [] %} and {{ predicate }}{% endfor -%}
  {%- endset -%}
  {%- if unique_key and unique_key is sequence and unique_key is not string %}
    delete from {{ target }} as DBT_INCREMENTAL_TARGET
    using {{ source }}
    where (
        {% for key in unique_key -%}
          {{ source }}.{{ key }} = DBT_INCREMENTAL_TARGET.{{ key }}{{ ' and ' if not loop.last }}
        {%- endfor %}
        {{ filters }}
    );
  {%- elif unique_key %}
    delete from {{ target }}
    where ({{ unique_key }}) in (
        select ({{ unique_key }})
        from {{ source }}
    ) {{ filters }};
  {%- endif %}

    insert into {{ target }} ({{ names }})
    (
        select {{ names }}
        from {{ source }}
    )
{%- endmacro %}
