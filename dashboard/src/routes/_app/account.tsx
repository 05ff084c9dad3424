import { createFileRoute } from "@tanstack/react-router";
import { AccessToken } from "~/account/access-token";
import { Address, Password } from "~/account/credentials";
import { DeleteAccount } from "~/account/delete-account";
import { Profile } from "~/account/profile";
import { SecondFactorSettings } from "~/account/second-factor";
import { Sessions } from "~/account/sessions";
import { useIsOn } from "~/own-flags/client";
import { Page } from "~/parts/page";
import { Loaded } from "~/parts/states";
import { useMe } from "~/shell/user-menu";

export const Route = createFileRoute("/_app/account")({ component: Account });

function Account() {
  const me = useMe();
  const rotates = useIsOn("rotate_api_token");
  return (
    <Page title="Your account" width={720} centred>
      <Loaded query={me}>
        {(me) => (
          <>
            <Profile me={me} />
            {me.auth_type === "EMAIL" && (
              <>
                <Password />
                <Address />
              </>
            )}
            <SecondFactorSettings />
            <Sessions />
            {rotates && <AccessToken />}
            <DeleteAccount me={me} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
