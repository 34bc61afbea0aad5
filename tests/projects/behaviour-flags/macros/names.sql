{% macro generate_schema_name(custom_schema_name, node) %}{{ return(none if node.name == 'adrift' else target.schema) }}{% endmacro %}
