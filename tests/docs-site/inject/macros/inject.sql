{% macro inject_macro(value) %}{# inject-me </code><script>window.injected=1</script> #}{{ value }}{% endmacro %}
