select
    shifts.shift_id,
    staff.kiosk_id,
    shifts.worked_on,
    shifts.hours,
    round(shifts.hours * staff.hourly_wage, 2) as wages
from {{ ref('stg_shifts') }} as shifts
inner join {{ ref('stg_staff') }} as staff using (staff_id)
