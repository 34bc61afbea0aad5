{{ config(materialized='ephemeral') }}

select
    lines.line_id,
    lines.order_id,
    lines.sku,
    items.item_kind,
    lines.quantity,
    lines.quantity * items.price as amount
from {{ ref('stg_order_lines') }} as lines
inner join {{ ref('stg_menu_items') }} as items using (sku)
