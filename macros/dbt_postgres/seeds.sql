{# Loading seeds: the server takes all rows in one COPY. #}

{% macro postgres__load_csv_rows(model, agate_table) %}
  {%- set names = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
  {%- do adapter.load_rows(this, agate_table, names) -%}
  {{ return('COPY ' ~ this.render() ~ ' (' ~ names ~ ') FROM STDIN') }}
{% endmacro %}
