select id, {{ var('x', 'nope') }} as x from {{ ref('a') }}
