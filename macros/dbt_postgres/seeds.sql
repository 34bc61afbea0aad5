{# Loading seeds: the server takes all rows in one COPY. A full refresh keeps what depends on the table. #}

{% macro postgres__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
  {%- if not full_refresh or _postgres_cascades() -%}
    {{ return(default__reset_csv_table(model, full_refresh, old_relation, agate_table)) }}
  {%- endif -%}
  {%- set backup = make_backup_relation(old_relation, old_relation.type) -%}
  {%- do drop_relation_if_exists(load_cached_relation(backup)) -%}
  {%- do postgres_set_aside(old_relation, backup) -%}
  {{ return(create_csv_table(model, agate_table)) }}
{% endmacro %}

{% macro postgres__load_csv_rows(model, agate_table) %}
  {%- set names = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
  {%- do adapter.load_rows(this, agate_table, names) -%}
  {{ return('COPY ' ~ this.render() ~ ' (' ~ names ~ ') FROM STDIN') }}
{% endmacro %}
