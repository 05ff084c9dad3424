import { notifications } from "@mantine/notifications";
import { createFileRoute, useNavigate } from "@tanstack/react-router";
import { Door } from "~/session/door";
import { NewPassword } from "~/session/new-password";

export const Route = createFileRoute("/password-reset/confirm/$uid/$token")({ component: Reset });

function Reset() {
  const { uid, token } = Route.useParams();
  const navigate = useNavigate();
  const done = () => {
    notifications.show({ message: "Your password is set. Sign in with it." });
    return navigate({ to: "/login" });
  };
  return (
    <Door title="Choose a password">
      <NewPassword uid={uid} token={token} onDone={done} />
    </Door>
  );
}
