-- Who is in a cohort stands in a list of its segment.

INSERT INTO list_segments (segment_id, project_id, key, context_kind, unbounded, tags, created_at)
SELECT s.id, s.project_id, 'cohort-' || s.id, 'user', false, '[]', s.created_at
FROM segments s WHERE s.id IN (SELECT c.segment_id FROM cohorts c);
