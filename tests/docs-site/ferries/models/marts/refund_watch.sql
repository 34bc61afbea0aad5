select {% if var('broken') %}error('the till said <img src=x onerror=window.injected=1>'){% else %}passenger{% endif %} from {{ ref('stg_bookings') }} where state = 'cancelled'
