select
    line_id,
    order_id,
    upper({{ tidy('sku') }}) as sku,
    quantity,
    {{ tidy('note') }} as kitchen_note
from {{ ref('raw_order_lines') }}
