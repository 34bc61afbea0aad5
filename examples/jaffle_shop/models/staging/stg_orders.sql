select
    order_id,
    guest_id,
    kiosk_id,
    ordered_at,
    case lower({{ tidy('status') }})
        when 'canceled' then 'cancelled'
        else lower({{ tidy('status') }})
    end as status,
    lower({{ tidy('paid_by') }}) as paid_by
from {{ ref('raw_orders') }}
