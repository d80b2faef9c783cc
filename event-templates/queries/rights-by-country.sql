-- name: rights-by-country
-- purpose: Rights kept or not: what countries without rights asked for, and what they got
-- about: `served` must be 0 where has_rights is false. Those kept out are split: by the geo restriction, by the function for want of rights (451), by blocks and tokens (other_refused).
-- about: Where the logs do not name the country, nobody knows whether it has rights. CloudFront's country of an address may be wrong. Where the runbook changes the rights within the time that is asked, its list counts for all of it: use --since and --until.
-- parameter: countries text = '@rights' -- the countries with rights, such as AT,DE, or !AT,DE for all but these; @rights: as the runbook has it; nothing: all
-- needs: country
SELECT
    c_country AS country,
    CASE
        WHEN :countries = '' THEN true
        WHEN c_country IS NOT NULL THEN
            (strpos(',' || replace(replace(upper(:countries), ' ', ''), '!', '') || ',', ',' || c_country || ',') > 0)
                <> (strpos(:countries, '!') = 1)
    END AS has_rights,
    count(*) AS requests,
    count_if(sc_status IN (200, 206, 304)) AS served,
    count_if(sc_status IN (200, 206) AND object_kind = 'segment') AS served_segments,
    round(sum(CASE WHEN sc_status IN (200, 206) THEN sc_bytes ELSE 0 END) / 1e9, 3) AS served_gigabytes,
    count_if(x_edge_detailed_result_type = 'ClientGeoBlocked') AS geo_blocked,
    count_if(sc_status = 451) AS no_rights,
    count_if(sc_status IN (401, 403) AND coalesce(x_edge_detailed_result_type, '') <> 'ClientGeoBlocked') AS other_refused,
    approx_distinct(c_ip) AS addresses
FROM requests
GROUP BY c_country
ORDER BY has_rights, served DESC, requests DESC, country
