/** How a segment is changed here: at once, or by asking others. */
import { useProjectMay } from "~/lib/permissions";
import type { Project } from "~/shell/place";

export type Way = "save" | "propose";

/** None where one may do neither. */
export function useSegmentWay(project: Project): Way | undefined {
  const may = useProjectMay(project.id);
  if (project.minimum_change_request_approvals === null) return may("MANAGE_SEGMENTS") ? "save" : undefined;
  const mayPropose =
    may("CREATE_PROJECT_LEVEL_CHANGE_REQUESTS") || may("MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS");
  return mayPropose ? "propose" : undefined;
}
