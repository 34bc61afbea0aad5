select 1 as id
{% iff true %}x{% endif %}
