/** Turning a feature on or off where that needs approval. */
import type { Schema } from "~/api/client";
import { usePlace } from "~/shell/place";
import { draftOf } from "./draft";
import { useFlag, useNames } from "./flag";
import { Review } from "./review";

interface ProposeToggleProps {
  feature: Schema<"FeatureView">;
  enabled: boolean;
  onClose: () => void;
}

export function ProposeToggle({ feature, enabled, onClose }: ProposeToggleProps) {
  const { project, environment } = usePlace();
  const flag = useFlag(environment.api_key, feature.id);
  const names = useNames(project.id, feature.multivariate_options);
  if (!flag.data) return null;
  const base = draftOf(flag.data);
  return (
    <Review
      feature={feature}
      base={base}
      draft={{ ...base, enabled }}
      names={names}
      onClose={onClose}
      onSaved={onClose}
    />
  );
}
