//! Services that somebody else started: all we can do is notice that one went away and came back.

use proto::client::health;
use tokio::sync::mpsc;

use super::service::Component;
use crate::settings::Settings;

/// Names each attached service that is back after it was away, and so has to be told everything again.
pub(super) fn watch(settings: &Settings) -> mpsc::Receiver<Component> {
    let (back, returned) = mpsc::channel(1);
    for component in Component::ALL {
        let Some(address) = settings.attachments.get(component) else {
            continue;
        };
        let (back, address) = (back.clone(), address.to_string());
        tokio::spawn(async move {
            loop {
                health::ended(&address).await;
                health::serving(&address).await;
                if back.send(component).await.is_err() {
                    return;
                }
            }
        });
    }
    returned
}
