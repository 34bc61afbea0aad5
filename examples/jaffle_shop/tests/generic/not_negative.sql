{% test not_negative(model, column_name, zero_is_fine=true) %}

select {{ column_name }} as value
from {{ model }}
where {{ column_name }} {{ '<' if zero_is_fine else '<=' }} 0

{% endtest %}
