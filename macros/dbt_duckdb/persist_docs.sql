{# Comments on relations and columns. #}

{# Dollar-quoted, so that a description may hold any text but the quote's own label. #}
{% macro duckdb_escape_comment(comment) -%}
  {%- if comment is not string -%}
    {%- do exceptions.raise_compiler_error('A description has to be text: ' ~ comment) -%}
  {%- endif -%}
  {%- set quote = '$dbt_comment_literal_block$' -%}
  {%- if quote in comment -%}
    {%- do exceptions.raise_compiler_error('A description cannot contain ' ~ quote) -%}
  {%- endif -%}
  {{ quote }}{{ comment }}{{ quote }}
{%- endmacro %}

{% macro duckdb__alter_relation_comment(relation, comment) %}
  comment on {{ relation.type }} {{ relation }} is {{ duckdb_escape_comment(comment) }};
{% endmacro %}

{% macro duckdb__alter_column_comment(relation, column_dict) %}
  {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
  {%- for name, column in column_dict.items() if name in there %}
  comment on column {{ relation }}.{{ adapter.quote(name) if column['quote'] else name }} is {{ duckdb_escape_comment(column['description']) }};
  {%- endfor %}
{% endmacro %}
